-- The service's own copy of what decides on a booking besides the resource itself: rules by what they are laid on, and
-- who is in which group. Kept current by the feeds of the resource and user services.

create table rules (
    organization_id uuid not null,
    scope_id uuid not null,
    scope text not null,
    version bigint not null,
    rules jsonb not null,
    constraint rules_pkey primary key (organization_id, scope_id),
    constraint rules_scope check (scope in ('organization', 'type', 'location', 'group', 'resource'))
);
call protect('rules');

create table account (
    organization_id uuid not null,
    id uuid not null,
    version bigint not null,
    role text not null,
    active boolean not null,
    constraint account_pkey primary key (organization_id, id)
);
call protect('account');

create table membership (
    organization_id uuid not null,
    user_id uuid not null,
    group_id uuid not null,
    constraint membership_pkey primary key (organization_id, user_id, group_id),
    constraint membership_account foreign key (organization_id, user_id) references account (organization_id, id)
);
create index membership_by_group on membership (organization_id, group_id, user_id);
call protect('membership');

-- Types have rules, so the copy needs their ids: the feed is read again from its start, one version back.
alter table resource add column type_id uuid;
update resource set version = version - 1;
update consumer set cursor = null where name = 'resources';
