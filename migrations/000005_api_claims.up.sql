-- The claims about a person that tokens for the API carry beside the standard ones.
ALTER TABLE apis ADD COLUMN claims JSONB NOT NULL DEFAULT '[]';
