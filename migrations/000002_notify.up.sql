-- Other replicas learn of a change at once, by NOTIFY. It is written down as well, for those
-- whom no NOTIFY reaches: behind a proxy that pools connections by transaction, or on a
-- connection that seems alive. They ask once a second for the rows of transactions that they
-- did not see before. Rows become visible in the order of commits and not of their numbers;
-- a snapshot tells which are new, however many writers overlap, and no two writers touch one
-- row. SQLite's words for it stand in the folder sqlite.
CREATE TABLE changes (
    xact XID8 NOT NULL DEFAULT pg_current_xact_id(),
    tbl  TEXT NOT NULL,
    key  TEXT NOT NULL,
    at   TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (xact, tbl, key)
);

-- The payload is the transaction, the table and the key; what changed they read themselves.
CREATE FUNCTION signet_tell(changed_table TEXT, changed_key TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (tbl, key) VALUES (changed_table, changed_key) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM pg_notify('signet', pg_current_xact_id() || ':' || changed_table || ':' || changed_key);
    END IF;
END $$;

-- What was written down an hour ago has been read, or whoever did not read it forgets all
-- that it cached. The clock is the one that the rows are dated by.
CREATE FUNCTION signet_forget_changes(batch BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    forgotten BIGINT;
BEGIN
    DELETE FROM changes WHERE (xact, tbl, key) IN (
        SELECT xact, tbl, key FROM (SELECT * FROM changes ORDER BY xact LIMIT batch) oldest
         WHERE at < now() - INTERVAL '1 hour');
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;

CREATE FUNCTION signet_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signet_tell(TG_TABLE_NAME, CASE TG_OP
        WHEN 'DELETE' THEN to_jsonb(OLD) ->> TG_ARGV[0]
        ELSE to_jsonb(NEW) ->> TG_ARGV[0] END);
    RETURN NULL;
END $$;

-- Whoever makes a token for a client locks its row by writing its version, which is no news.
CREATE TRIGGER clients_notify AFTER UPDATE OF metadata, disabled_at OR DELETE ON clients
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
