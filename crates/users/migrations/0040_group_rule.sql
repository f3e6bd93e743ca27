-- Groups whose members follow from a rule, beside members by hand; and the attributes that rules look at.

alter table account
    -- What the organization knows of a person, set by administrators and provisioning, never by the person.
    add column attributes jsonb not null default '{}',
    add constraint account_removed_has_no_attributes check (removed_at is null or attributes = '{}');

alter table user_group
    -- None: members by hand alone.
    add column rule jsonb,
    -- Whether accounts are still to be looked at since the rule changed, and up to which of them they were.
    add column rule_due boolean not null default false,
    add column rule_reached uuid;
create index user_group_by_rule_due on user_group (organization_id, id) where rule_due;
create policy finder on user_group for select to reservas_users_finder using (true);
grant select (organization_id, id, rule_due) on user_group to reservas_users_finder;

alter table membership
    -- Why somebody is in the group; both may be.
    add column by_hand boolean not null default true,
    add column by_rule boolean not null default false,
    add constraint membership_has_a_reason check (by_hand or by_rule);
grant update on membership to reservas_users;
