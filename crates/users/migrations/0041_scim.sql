-- What provisioning by SCIM (RFC 7643) knows accounts and groups by.

alter table account
    -- The client's own name of it.
    add column external_id text,
    -- The name that the client signs people in with, when that is not the address; compared in lower case.
    add column user_name text,
    add column user_name_key text collate "C",
    -- Deleted there: deactivated here, and not shown there until somebody activates it again.
    add column deprovisioned boolean not null default false,
    add constraint account_removed_is_not_provisioned
        check (removed_at is null or (external_id is null and user_name is null)),
    add constraint account_user_name_has_a_key check ((user_name is null) = (user_name_key is null));
create unique index account_user_name on account (organization_id, user_name_key) where user_name_key is not null;
create index account_external_id on account (organization_id, external_id) where external_id is not null;

alter table user_group add column external_id text;
