-- The same as the canonical file, in SQLite's words for triggers.
CREATE TABLE status_entries (
    status_index BIGINT NOT NULL PRIMARY KEY,
    owner        TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    expires_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX status_entries_revoked ON status_entries (status_index) WHERE revoked_at IS NOT NULL;
CREATE INDEX status_entries_client_id ON status_entries (client_id, status_index);
CREATE INDEX status_entries_expires_at ON status_entries (expires_at);

ALTER TABLE grants ADD COLUMN status_index BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN status_index BIGINT NOT NULL DEFAULT 0;

CREATE TRIGGER grants_place AFTER INSERT ON grants BEGIN
    UPDATE status_entries SET owner = 'grants:' || NEW.id, client_id = NEW.client_id
     WHERE status_index = NEW.status_index AND owner = '';
END;
CREATE TRIGGER api_tokens_place AFTER INSERT ON api_tokens BEGIN
    UPDATE status_entries SET owner = 'api_tokens:' || NEW.id, client_id = NEW.client_id
     WHERE status_index = NEW.status_index AND owner = '';
END;
CREATE TRIGGER clients_place_insert AFTER INSERT ON clients BEGIN
    UPDATE status_entries SET owner = 'clients:' || NEW.id, client_id = NEW.id, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = '';
    INSERT INTO changes (tbl, key) SELECT 'status_entries', '*' WHERE NEW.disabled_at IS NOT NULL;
END;
CREATE TRIGGER clients_place_update AFTER UPDATE OF status_index ON clients BEGIN
    UPDATE status_entries SET owner = 'clients:' || NEW.id, client_id = NEW.id, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = '';
    INSERT INTO changes (tbl, key) SELECT 'status_entries', '*' WHERE NEW.disabled_at IS NOT NULL;
END;

CREATE TRIGGER grants_status AFTER UPDATE OF revoked_at ON grants BEGIN
    UPDATE status_entries SET revoked_at = NEW.revoked_at, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = 'grants:' || NEW.id;
END;
CREATE TRIGGER grants_status_deleted AFTER DELETE ON grants BEGIN
    UPDATE status_entries SET revoked_at = OLD.created_at, expires_at = NULL
     WHERE status_index = OLD.status_index AND owner = 'grants:' || OLD.id AND revoked_at IS NULL;
END;
CREATE TRIGGER api_tokens_status AFTER UPDATE OF revoked_at ON api_tokens BEGIN
    UPDATE status_entries SET revoked_at = NEW.revoked_at, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = 'api_tokens:' || NEW.id;
END;
CREATE TRIGGER api_tokens_status_deleted AFTER DELETE ON api_tokens BEGIN
    UPDATE status_entries SET revoked_at = OLD.created_at, expires_at = NULL
     WHERE status_index = OLD.status_index AND owner = 'api_tokens:' || OLD.id AND revoked_at IS NULL;
END;
CREATE TRIGGER clients_status AFTER UPDATE OF disabled_at ON clients WHEN OLD.disabled_at IS NOT NEW.disabled_at BEGIN
    INSERT INTO changes (tbl, key) VALUES ('status_entries', '*');
END;
CREATE TRIGGER clients_status_deleted AFTER DELETE ON clients BEGIN
    UPDATE status_entries SET revoked_at = OLD.created_at, expires_at = NULL
     WHERE status_index = OLD.status_index AND owner = 'clients:' || OLD.id AND revoked_at IS NULL;
END;

CREATE TRIGGER status_entries_update_notify AFTER UPDATE OF revoked_at ON status_entries
    WHEN OLD.revoked_at IS NOT NEW.revoked_at BEGIN
    INSERT INTO changes (tbl, key) VALUES ('status_entries', NEW.status_index / 1048576);
END;
CREATE TRIGGER api_tokens_update_notify AFTER UPDATE OF revoked_at, expires_at ON api_tokens BEGIN
    INSERT INTO changes (tbl, key) VALUES ('api_tokens', NEW.id);
END;
CREATE TRIGGER api_tokens_delete_notify AFTER DELETE ON api_tokens BEGIN
    INSERT INTO changes (tbl, key) VALUES ('api_tokens', OLD.id);
END;
