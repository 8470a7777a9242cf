-- PostgreSQL tells its listeners what has changed. Here the same triggers write it down, for
-- whoever sees PRAGMA data_version move: the server itself, beside which a command line may
-- be at work. Some thousand rows are kept; who has missed more forgets all that it cached.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY,
    tbl TEXT NOT NULL,
    key TEXT NOT NULL
);
CREATE TRIGGER changes_trim AFTER INSERT ON changes WHEN NEW.seq % 1000 = 0 BEGIN
    DELETE FROM changes WHERE seq <= NEW.seq - 4000;
END;

CREATE TRIGGER clients_update_notify AFTER UPDATE OF metadata, disabled_at ON clients BEGIN
    INSERT INTO changes (tbl, key) VALUES ('clients', NEW.id);
END;
CREATE TRIGGER clients_delete_notify AFTER DELETE ON clients BEGIN
    INSERT INTO changes (tbl, key) VALUES ('clients', OLD.id);
END;

CREATE TRIGGER client_secrets_insert_notify AFTER INSERT ON client_secrets BEGIN
    INSERT INTO changes (tbl, key) VALUES ('client_secrets', NEW.client_id);
END;
CREATE TRIGGER client_secrets_update_notify AFTER UPDATE ON client_secrets BEGIN
    INSERT INTO changes (tbl, key) VALUES ('client_secrets', NEW.client_id);
END;
CREATE TRIGGER client_secrets_delete_notify AFTER DELETE ON client_secrets BEGIN
    INSERT INTO changes (tbl, key) VALUES ('client_secrets', OLD.client_id);
END;

CREATE TRIGGER apis_insert_notify AFTER INSERT ON apis BEGIN
    INSERT INTO changes (tbl, key) VALUES ('apis', NEW.identifier);
END;
CREATE TRIGGER apis_update_notify AFTER UPDATE ON apis BEGIN
    INSERT INTO changes (tbl, key) VALUES ('apis', NEW.identifier);
END;
CREATE TRIGGER apis_delete_notify AFTER DELETE ON apis BEGIN
    INSERT INTO changes (tbl, key) VALUES ('apis', OLD.identifier);
END;

CREATE TRIGGER roles_insert_notify AFTER INSERT ON roles BEGIN
    INSERT INTO changes (tbl, key) VALUES ('roles', NEW.name);
END;
CREATE TRIGGER roles_update_notify AFTER UPDATE ON roles BEGIN
    INSERT INTO changes (tbl, key) VALUES ('roles', NEW.name);
END;
CREATE TRIGGER roles_delete_notify AFTER DELETE ON roles BEGIN
    INSERT INTO changes (tbl, key) VALUES ('roles', OLD.name);
END;

CREATE TRIGGER signing_keys_insert_notify AFTER INSERT ON signing_keys BEGIN
    INSERT INTO changes (tbl, key) VALUES ('signing_keys', NEW.kid);
END;
CREATE TRIGGER signing_keys_update_notify AFTER UPDATE ON signing_keys BEGIN
    INSERT INTO changes (tbl, key) VALUES ('signing_keys', NEW.kid);
END;
CREATE TRIGGER signing_keys_delete_notify AFTER DELETE ON signing_keys BEGIN
    INSERT INTO changes (tbl, key) VALUES ('signing_keys', OLD.kid);
END;

-- A login locks the person's row by writing another column of it, which is no news.
CREATE TRIGGER users_update_notify AFTER UPDATE OF updated_at ON users BEGIN
    INSERT INTO changes (tbl, key) VALUES ('users', NEW.id);
END;
CREATE TRIGGER users_delete_notify AFTER DELETE ON users BEGIN
    INSERT INTO changes (tbl, key) VALUES ('users', OLD.id);
END;

CREATE TRIGGER sessions_delete_notify AFTER DELETE ON sessions BEGIN
    INSERT INTO changes (tbl, key) VALUES ('sessions', OLD.id);
END;

CREATE TRIGGER grants_update_notify AFTER UPDATE OF revoked_at ON grants WHEN NEW.revoked_at IS NOT NULL BEGIN
    INSERT INTO changes (tbl, key) VALUES ('grants', NEW.id);
END;
CREATE TRIGGER grants_delete_notify AFTER DELETE ON grants BEGIN
    INSERT INTO changes (tbl, key) VALUES ('grants', OLD.id);
END;

CREATE TRIGGER revoked_tokens_insert_notify AFTER INSERT ON revoked_tokens BEGIN
    INSERT INTO changes (tbl, key) VALUES ('revoked_tokens', NEW.jti);
END;
