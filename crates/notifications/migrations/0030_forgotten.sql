-- Whose account was removed: the id alone, so that events that come late are not told to anybody.

create table forgotten (
    organization_id uuid not null,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint forgotten_pkey primary key (organization_id, user_id)
);
call protect('forgotten', 'select, insert');

-- Who was removed before this table was there.
alter table message no force row level security;
alter table delivery no force row level security;
delete from message m using delivery d
where d.organization_id = m.organization_id and d.message_id = m.id and d.error = 'the person was removed';
alter table message force row level security;
alter table delivery force row level security;
