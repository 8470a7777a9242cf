-- What the server knows about itself: which master key sealed it, whether it was set up.
CREATE TABLE instance (
    name       TEXT NOT NULL PRIMARY KEY,
    value      BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- One that was deleted is disabled as well, and stays until the last of its grants is gone:
-- there may be more of them than one statement can take along.
CREATE TABLE clients (
    id          TEXT NOT NULL PRIMARY KEY,
    metadata    JSONB NOT NULL,
    disabled_at TIMESTAMPTZ,
    deleted_at  TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    version     BIGINT NOT NULL
);
CREATE INDEX clients_disabled_at ON clients (disabled_at) WHERE disabled_at IS NOT NULL;
CREATE INDEX clients_deleted_at ON clients (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE client_secrets (
    id         TEXT NOT NULL PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    hash       BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ
);
CREATE INDEX client_secrets_client_id ON client_secrets (client_id);
CREATE INDEX client_secrets_expires_at ON client_secrets (expires_at);

CREATE TABLE roles (
    name        TEXT NOT NULL PRIMARY KEY,
    description TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    version     BIGINT NOT NULL
);

-- username_folded and email_folded are what a person may type in any case; they are unique.
CREATE TABLE users (
    id              TEXT NOT NULL PRIMARY KEY,
    username        TEXT NOT NULL,
    username_folded TEXT NOT NULL UNIQUE,
    email           TEXT NOT NULL,
    email_folded    TEXT UNIQUE,
    email_verified  BOOLEAN NOT NULL,
    profile         JSONB NOT NULL,
    roles           JSONB NOT NULL,
    disabled_at     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    version         BIGINT NOT NULL
);

CREATE TABLE passwords (
    user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE sessions (
    id              TEXT NOT NULL PRIMARY KEY,
    secret_hash     BYTEA NOT NULL,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_time       TIMESTAMPTZ NOT NULL,
    acr             TEXT NOT NULL,
    amr             JSONB NOT NULL,
    user_agent      TEXT NOT NULL,
    address         TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    last_seen_at    TIMESTAMPTZ NOT NULL,
    idle_expires_at TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE apis (
    identifier            TEXT NOT NULL PRIMARY KEY,
    name                  TEXT NOT NULL,
    scopes                JSONB NOT NULL,
    owner_client_id       TEXT NOT NULL,
    browser_sign_in       BOOLEAN NOT NULL,
    access_token_lifetime BIGINT NOT NULL,
    created_at            TIMESTAMPTZ NOT NULL,
    updated_at            TIMESTAMPTZ NOT NULL,
    version               BIGINT NOT NULL
);

CREATE INDEX apis_owner_client_id ON apis (owner_client_id);

CREATE TABLE consents (
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scopes     TEXT NOT NULL,
    declined   TEXT NOT NULL,
    resources  JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_client_id ON consents (client_id);

CREATE TABLE interactions (
    id           TEXT NOT NULL PRIMARY KEY,
    client_id    TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    params       JSONB NOT NULL,
    browser_hash BYTEA NOT NULL,
    session_id   TEXT NOT NULL,
    decision     JSONB,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    consumed_at  TIMESTAMPTZ
);
CREATE INDEX interactions_client_id ON interactions (client_id);
CREATE INDEX interactions_expires_at ON interactions (expires_at);

-- One row is the authorization code, the family of refresh tokens and the unit of
-- revocation. No column that a refresh changes is indexed, so that PostgreSQL can rewrite
-- the row in place (HOT).
CREATE TABLE grants (
    id                 TEXT NOT NULL PRIMARY KEY,
    client_id          TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id            TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id         TEXT NOT NULL,
    scopes             TEXT NOT NULL,
    resources          JSONB NOT NULL,
    auth_time          TIMESTAMPTZ NOT NULL,
    acr                TEXT NOT NULL,
    amr                JSONB NOT NULL,
    nonce              TEXT NOT NULL,
    claims             JSONB NOT NULL,
    code_hash          BYTEA NOT NULL,
    redirect_uri       TEXT NOT NULL,
    code_challenge     TEXT NOT NULL,
    code_expires_at    TIMESTAMPTZ NOT NULL,
    code_used_at       TIMESTAMPTZ,
    refresh_seq        BIGINT NOT NULL,
    refresh_rotated_at TIMESTAMPTZ,
    refresh_expires_at TIMESTAMPTZ,
    last_used_at       TIMESTAMPTZ,
    created_at         TIMESTAMPTZ NOT NULL,
    expires_at         TIMESTAMPTZ NOT NULL,
    revoked_at         TIMESTAMPTZ,
    revoke_reason      TEXT NOT NULL
);
CREATE INDEX grants_user_id ON grants (user_id);
CREATE INDEX grants_client_id ON grants (client_id);
CREATE INDEX grants_expires_at ON grants (expires_at);

-- Single access tokens that were revoked before their time.
CREATE TABLE revoked_tokens (
    jti        TEXT NOT NULL PRIMARY KEY,
    revoked_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

-- What may be used once: the jti of client assertions.
CREATE TABLE replays (
    kind       TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    jti_hash   BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (kind, issuer, jti_hash)
);
CREATE INDEX replays_expires_at ON replays (expires_at);

CREATE TABLE signing_keys (
    kid          TEXT NOT NULL PRIMARY KEY,
    alg          TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('next', 'active', 'retired')),
    sealed       BYTEA NOT NULL,
    public_jwk   JSONB NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    activated_at TIMESTAMPTZ,
    retired_at   TIMESTAMPTZ,
    expires_at   TIMESTAMPTZ
);
-- Two processes that start at once cannot both make the active key of an algorithm.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (alg) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_next ON signing_keys (alg) WHERE state = 'next';

CREATE TABLE events (
    id             TEXT NOT NULL PRIMARY KEY,
    at             TIMESTAMPTZ NOT NULL,
    kind           TEXT NOT NULL,
    actor          TEXT NOT NULL,
    user_id        TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    grant_id       TEXT NOT NULL,
    address        TEXT NOT NULL,
    user_agent     TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    detail         JSONB NOT NULL
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_user_id ON events (user_id, at);
