-- The places and people that a manager is limited to; null for the whole organization. Locations belong to the resource
-- service and are not known here: one that is gone gives nothing.
alter table account
    add column remit jsonb,
    add constraint account_remit check (remit is null or role = 'manager');
alter table invitation
    add column remit jsonb,
    add constraint invitation_remit check (remit is null or role = 'manager');
