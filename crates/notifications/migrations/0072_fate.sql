-- What became of a message after its provider took it, as the provider tells.

alter table delivery
    add column fate text,
    add column fate_at timestamptz,
    add constraint delivery_fate check (fate in ('delivered', 'opened', 'undelivered', 'bounced', 'complained')),
    add constraint delivery_fate_at check ((fate is null) = (fate_at is null));

alter table suppression
    drop constraint suppression_reason,
    add constraint suppression_reason check (reason in ('no_such_address', 'bounced', 'complained', 'manual'));
