-- Addresses of integrators that are told what happens to bookings, and every attempt at telling them.

create table webhook (
    organization_id uuid not null,
    id uuid not null,
    url text not null,
    -- Types of events; empty: all that there are.
    types text[] not null,
    -- Whether the events of one booking are told one after the other.
    is_ordered boolean not null,
    is_enabled boolean not null default true,
    disabled_reason text,
    -- Since when no attempt has succeeded.
    failing_since timestamptz,
    -- What requests are signed with, and what they were signed with before, for a while.
    secret bytea not null,
    old_secret bytea,
    old_secret_until timestamptz,
    created_by uuid not null,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint webhook_url_length check (length(url) <= 2000),
    constraint webhook_old_secret check ((old_secret is null) = (old_secret_until is null)),
    constraint webhook_disabled check (is_enabled = (disabled_reason is null))
);
call protect('webhook');

create table webhook_delivery (
    organization_id uuid not null,
    id uuid not null,
    webhook_id uuid not null,
    -- The same in every attempt: `webhook-id`.
    event_id uuid not null,
    type text not null,
    stream_id uuid not null,
    -- Events of one stream come in this order.
    position bigint generated always as identity,
    body text not null,
    state text not null default 'queued',
    attempts integer not null default 0,
    -- Attempts of earlier rounds, before somebody had it sent again.
    spent integer not null default 0,
    due_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint webhook_delivery_webhook foreign key (organization_id, webhook_id)
        references webhook (organization_id, id) on delete cascade,
    constraint webhook_delivery_once unique (organization_id, webhook_id, event_id),
    constraint webhook_delivery_state check (state in ('queued', 'delivered', 'failed')),
    constraint webhook_delivery_due_while_queued check ((state = 'queued') = (due_at is not null)),
    constraint webhook_delivery_ended check ((state = 'queued') = (ended_at is null))
);
-- Not led by the organization, because the finder looks for what is due in all of them.
create index webhook_delivery_due on webhook_delivery (due_at) where due_at is not null;
create index webhook_delivery_waiting on webhook_delivery (organization_id, webhook_id, stream_id, position)
    where state = 'queued';
create index webhook_delivery_old on webhook_delivery (organization_id, webhook_id, ended_at);
call protect('webhook_delivery');

do $$
declare
    finder text := 'reservas_' || current_schema() || '_finder';
begin
    execute format('create policy finder on webhook_delivery for select to %I using (true)', finder);
    execute format('grant select (organization_id, id, due_at) on webhook_delivery to %I', finder);
end $$;

create table webhook_attempt (
    organization_id uuid not null,
    delivery_id uuid not null,
    number integer not null,
    attempted_at timestamptz not null,
    -- The answer's status; none when there was no answer.
    status integer,
    -- The beginning of the answer's body, or why there was none.
    answer text not null,
    latency_ms bigint not null,
    primary key (organization_id, delivery_id, number),
    constraint webhook_attempt_delivery foreign key (organization_id, delivery_id)
        references webhook_delivery (organization_id, id) on delete cascade
);
call protect('webhook_attempt', 'select, insert');
