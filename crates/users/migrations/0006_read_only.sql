-- Whether writes are refused, by an administrator's command. The installation's: one row while it is on, none else.

create table read_only (
    singleton boolean not null default true,
    -- What clients are told to wait.
    retry_after_seconds integer not null,
    reason text,
    since timestamptz not null,
    constraint read_only_pkey primary key (singleton),
    constraint read_only_singleton check (singleton),
    constraint read_only_retry_after check (retry_after_seconds between 1 and 86400),
    constraint read_only_reason check (length(reason) between 1 and 200)
);

alter table read_only enable row level security;
alter table read_only force row level security;
create policy service on read_only to reservas_users using (true);
grant select, insert, update, delete on read_only to reservas_users;
