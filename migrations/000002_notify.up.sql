-- Other replicas learn of a change at once. The payload is the table and the key; what
-- changed they read themselves. SQLite's words for it stand in the folder sqlite.
CREATE FUNCTION signet_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('signet', TG_TABLE_NAME || ':' || CASE TG_OP
        WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
        ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $$;

CREATE TRIGGER clients_notify AFTER UPDATE OR DELETE ON clients
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER client_secrets_notify AFTER INSERT OR UPDATE OR DELETE ON client_secrets
    FOR EACH ROW EXECUTE FUNCTION signet_notify('client_id');
CREATE TRIGGER apis_notify AFTER INSERT OR UPDATE OR DELETE ON apis
    FOR EACH ROW EXECUTE FUNCTION signet_notify('identifier');
CREATE TRIGGER roles_notify AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH ROW EXECUTE FUNCTION signet_notify('name');
CREATE TRIGGER signing_keys_notify AFTER INSERT OR UPDATE OR DELETE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION signet_notify('kid');
-- A login locks the person's row by writing another column of it, which is no news.
CREATE TRIGGER users_notify AFTER UPDATE OF updated_at OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER sessions_notify AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER grants_notify AFTER UPDATE OF revoked_at ON grants
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER grants_delete_notify AFTER DELETE ON grants
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER revoked_tokens_notify AFTER INSERT ON revoked_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_notify('jti');

-- Leaves room on each page for the versions that refreshes write.
ALTER TABLE grants SET (fillfactor = 80);
