-- Users gathered for access, approval, quotas and prices.

create table user_group (
    organization_id uuid not null,
    id uuid not null,
    name text not null,
    -- Compared in lower case, which the service computes, so that it does not depend on the locale of the database.
    name_key text collate "C" not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint user_group_pkey primary key (organization_id, id),
    constraint user_group_name unique (organization_id, name_key),
    constraint user_group_organization foreign key (organization_id) references organization (organization_id)
);
call protect('user_group');

create table membership (
    organization_id uuid not null,
    user_id uuid not null,
    group_id uuid not null,
    constraint membership_pkey primary key (organization_id, user_id, group_id),
    constraint membership_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint membership_group foreign key (organization_id, group_id) references user_group (organization_id, id)
);
create index membership_by_group on membership (organization_id, group_id, user_id);
call protect('membership', 'select, insert, delete');
