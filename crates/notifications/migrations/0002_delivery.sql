-- A message's way through one channel, and every attempt at it.

create table delivery (
    organization_id uuid not null,
    id uuid not null,
    message_id uuid not null,
    channel text not null,
    state text not null default 'queued',
    -- Attempts begun; the number of the latest.
    attempts integer not null default 0,
    -- From when on any replica may take it. Taking it moves this to the end of the lease: a replica that dies
    -- leaves nothing to clean up.
    due_at timestamptz,
    last_attempt_at timestamptz,
    sent_at timestamptz,
    error text,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint delivery_message foreign key (organization_id, message_id)
        references message (organization_id, id) on delete cascade,
    constraint delivery_once_per_channel unique (organization_id, message_id, channel),
    constraint delivery_channel check (channel in ('email', 'outbox')),
    constraint delivery_state check (state in ('queued', 'sent', 'failed')),
    constraint delivery_due_while_queued check ((state = 'queued') = (due_at is not null)),
    constraint delivery_sent_at check ((state = 'sent') = (sent_at is not null))
);

-- Not led by the organization, because the finder looks for what is due in all of them.
create index delivery_due on delivery (due_at) where due_at is not null;
call protect('delivery');

-- The finder learns that something is due, and nothing else.
do $$
declare
    finder text := 'reservas_' || current_schema() || '_finder';
begin
    execute format('create policy finder on delivery for select to %I using (true)', finder);
    execute format('grant select (organization_id, id, due_at) on delivery to %I', finder);
end $$;

create table attempt (
    organization_id uuid not null,
    delivery_id uuid not null,
    number integer not null,
    channel text not null,
    attempted_at timestamptz not null,
    outcome text not null,
    -- The provider's words, without the person's address.
    answer text not null,
    latency_ms bigint not null,
    primary key (organization_id, delivery_id, number),
    constraint attempt_delivery foreign key (organization_id, delivery_id)
        references delivery (organization_id, id) on delete cascade,
    constraint attempt_outcome check (outcome in ('sent', 'passing', 'permanent'))
);
call protect('attempt', 'select, insert');
