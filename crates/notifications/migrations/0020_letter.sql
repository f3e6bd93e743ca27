-- Messages that the user service writes when they are sent.

alter table message
    add column letter_id uuid,
    drop constraint message_kind,
    add constraint message_kind check (kind ~ '^[a-z_]+$' and (kind = 'letter') = (letter_id is not null));
