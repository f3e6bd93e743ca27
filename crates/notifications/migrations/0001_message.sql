-- What a person was told, once per event. Ids stand for people: names and addresses are fetched when a mail is sent.

create table message (
    organization_id uuid not null,
    id uuid not null,
    event_id uuid not null,
    user_id uuid not null,
    kind text not null,
    booking_id uuid not null,
    reference text not null,
    subject text not null,
    -- What the template needs beside the person: `message::Facts`.
    data jsonb not null,
    correlation_id text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    -- Nothing is told twice, however often the event is heard.
    constraint message_told_once unique (organization_id, event_id, user_id),
    constraint message_kind check (kind in ('booking_confirmed', 'booking_moved', 'booking_cancelled'))
);

-- A person's own list, newest first: ids are UUIDs of version 7, so they grow with time.
create index message_of_user on message (organization_id, user_id, id);
call protect('message');
