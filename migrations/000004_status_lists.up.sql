-- One row is a place in the published status lists, and whose it is: the table and the id of
-- a grant, an API token or a client, empty until that is there. Rows keep the number of their
-- place for longer than they have it; only the owner's revocation or deletion sets the bit,
-- which triggers see to, whoever makes it. A set bit stays for as long as an access token may
-- live that carries it, since the server itself refuses what is revoked: the place then has no
-- end (expires_at) until the sweep, which knows the time, gives it one.
--
-- client_id is the client that gets the tokens with this place, if one does. That it is
-- disabled sets no bit: whoever reads a list adds the places of disabled clients. So to
-- disable or to enable a client writes one row, however many places it has.
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

-- Who publishes the lists is told which of them may have changed, not which of its 2^20 bits.
-- The key * stands for all of them.
CREATE FUNCTION signet_status_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE status_entries SET owner = 'api_tokens:' || NEW.id, client_id = NEW.client_id
     WHERE status_index = NEW.status_index AND owner = '';
    RETURN NULL;
END $$;
-- Whoever disables the client at this moment waits for nobody, and tells of the lists perhaps
-- before this grant can be seen. Nothing is missed: no token comes of the grant but by a
-- statement that finds it committed and its client enabled, which is before that.
CREATE FUNCTION signet_status_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE status_entries SET owner = 'grants:' || NEW.id, client_id = NEW.client_id
     WHERE status_index = NEW.status_index AND owner = '';
    RETURN NULL;
END $$;
CREATE FUNCTION signet_status_client() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE status_entries SET owner = 'clients:' || NEW.id, client_id = NEW.id, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = '';
    IF NEW.disabled_at IS NOT NULL THEN
        PERFORM signet_tell('status_entries', '*');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER grants_place AFTER INSERT ON grants
    FOR EACH ROW EXECUTE FUNCTION signet_status_grant();
CREATE TRIGGER api_tokens_place AFTER INSERT ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_status_token();
CREATE TRIGGER clients_place AFTER INSERT OR UPDATE OF status_index ON clients
    FOR EACH ROW EXECUTE FUNCTION signet_status_client();

CREATE FUNCTION signet_status_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE status_entries SET revoked_at = NEW.revoked_at, expires_at = NULL
     WHERE status_index = NEW.status_index AND owner = TG_TABLE_NAME || ':' || NEW.id;
    RETURN NULL;
END $$;
CREATE FUNCTION signet_status_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE status_entries SET revoked_at = OLD.created_at, expires_at = NULL
     WHERE status_index = OLD.status_index AND owner = TG_TABLE_NAME || ':' || OLD.id AND revoked_at IS NULL;
    RETURN NULL;
END $$;
CREATE FUNCTION signet_status_disabled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signet_tell('status_entries', '*');
    RETURN NULL;
END $$;
CREATE TRIGGER grants_status AFTER UPDATE OF revoked_at ON grants
    FOR EACH ROW EXECUTE FUNCTION signet_status_revoked();
CREATE TRIGGER grants_status_deleted AFTER DELETE ON grants
    FOR EACH ROW EXECUTE FUNCTION signet_status_deleted();
CREATE TRIGGER api_tokens_status AFTER UPDATE OF revoked_at ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_status_revoked();
CREATE TRIGGER api_tokens_status_deleted AFTER DELETE ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_status_deleted();
CREATE TRIGGER clients_status AFTER UPDATE OF disabled_at ON clients
    FOR EACH ROW WHEN (OLD.disabled_at IS DISTINCT FROM NEW.disabled_at)
    EXECUTE FUNCTION signet_status_disabled();
CREATE TRIGGER clients_status_deleted AFTER DELETE ON clients
    FOR EACH ROW EXECUTE FUNCTION signet_status_deleted();

CREATE FUNCTION signet_status_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM signet_tell('status_entries', (NEW.status_index / 1048576)::TEXT);
    RETURN NULL;
END $$;
CREATE TRIGGER status_entries_notify AFTER UPDATE OF revoked_at ON status_entries
    FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)
    EXECUTE FUNCTION signet_status_notify();
CREATE TRIGGER api_tokens_notify AFTER UPDATE OF revoked_at, expires_at ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
CREATE TRIGGER api_tokens_delete_notify AFTER DELETE ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION signet_notify('id');
