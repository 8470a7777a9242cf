DROP TRIGGER clients_status_deleted;
DROP TRIGGER clients_status;
DROP TRIGGER api_tokens_status_deleted;
DROP TRIGGER api_tokens_status;
DROP TRIGGER grants_status_deleted;
DROP TRIGGER grants_status;
ALTER TABLE clients DROP COLUMN status_index;
ALTER TABLE grants DROP COLUMN status_index;
DROP TABLE status_entries;
