-- What an administrator says of a person, for the APIs that list it.
ALTER TABLE users ADD COLUMN claims JSONB NOT NULL DEFAULT '{}';
