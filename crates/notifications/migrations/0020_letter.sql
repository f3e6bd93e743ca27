-- Messages that are about an account and no booking: the user service writes them when they are sent.

alter table message
    alter column booking_id drop not null,
    alter column reference drop not null,
    add column letter_id uuid,
    drop constraint message_kind,
    add constraint message_kind check (kind ~ '^[a-z_]+$' and (kind = 'letter') = (letter_id is not null)),
    add constraint message_is_about_a_booking
        check ((kind like 'booking\_%') = (booking_id is not null) and (booking_id is null) = (reference is null));
