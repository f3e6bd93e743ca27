-- More kinds of messages about bookings: each new one needs no change of the tables.

alter table message_template drop constraint message_template_kind,
    add constraint message_template_kind check (kind ~ '^booking_[a-z_]+$');
alter table preference drop constraint preference_kind,
    add constraint preference_kind check (kind ~ '^booking_[a-z_]+$');
alter table preference_rule drop constraint preference_rule_kind,
    add constraint preference_rule_kind check (kind ~ '^booking_[a-z_]+$');
