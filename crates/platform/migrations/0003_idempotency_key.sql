-- The first answer to a request with an Idempotency-Key, kept in the transaction of its effect and replayed for 24 h.

create table idempotency_key (
    organization_id uuid not null,
    user_id uuid not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null,
    primary key (organization_id, user_id, key)
);
call protect('idempotency_key');
