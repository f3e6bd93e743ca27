-- Messages about a person's account beside those about their bookings.

alter table message
    alter column booking_id drop not null,
    alter column reference drop not null,
    drop constraint message_kind,
    add constraint message_kind check (kind in ('booking_confirmed', 'booking_moved', 'booking_cancelled',
        'password_reset_requested', 'password_changed', 'account_locked', 'second_factor_changed')),
    add constraint message_about_booking check ((booking_id is null) = (reference is null)
        and (booking_id is not null) = (kind like 'booking\_%'));
