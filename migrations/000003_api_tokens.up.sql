-- client_id is the client that the chain of makers began with; empty: the person did.
CREATE TABLE api_tokens (
    id            TEXT NOT NULL PRIMARY KEY,
    hash          BYTEA NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made_by       TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    name          TEXT NOT NULL,
    api           TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    networks      JSONB NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    last_used_at  TIMESTAMPTZ,
    last_address  TEXT NOT NULL,
    last_agent    TEXT NOT NULL,
    replaced_by   TEXT NOT NULL,
    revoked_at    TIMESTAMPTZ,
    revoke_reason TEXT NOT NULL,
    status_index  BIGINT NOT NULL
);
CREATE INDEX api_tokens_user_id ON api_tokens (user_id);
CREATE INDEX api_tokens_made_by ON api_tokens (made_by) WHERE made_by <> '';
CREATE INDEX api_tokens_client_id ON api_tokens (client_id, user_id) WHERE revoked_at IS NULL;
CREATE INDEX api_tokens_expires_at ON api_tokens (expires_at);
