-- What a person sees of their sessions, how long each may rest, and since when its access tokens count.

alter table session
    add column agent text,
    add column address text,
    -- Sessions that were there before: no row of another organization can be changed here, defaults can.
    add column last_seen_at timestamptz not null default now(),
    add column idle_until timestamptz not null default now() + interval '12 hours',
    add column remembered boolean not null default false,
    add column authenticated_at timestamptz not null default 'epoch',
    add column second_factor boolean not null default false,
    -- Access tokens minted up to this second are to be exchanged: the role has changed.
    add column tokens_from timestamptz;
alter table session
    alter column last_seen_at drop default,
    alter column idle_until drop default,
    alter column remembered drop default,
    alter column authenticated_at drop default,
    alter column second_factor drop default;

create index session_by_end on session (ended_at) where ended_at is not null;
create index session_by_tokens_from on session (tokens_from) where tokens_from is not null;

-- All services are told which sessions' tokens are worth nothing any more, and no more than that.
create policy finder on session for select to reservas_users_finder using (true);
grant select (id, ended_at, tokens_from) on session to reservas_users_finder;
