-- What a person tells of themselves, and the change of an address, which its new owner has to confirm.

alter table account
    add column phone text,
    add column picture_url text,
    add column preferences jsonb not null default '{}',
    add constraint account_phone_is_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    add constraint account_picture_is_https check (picture_url like 'https://%'),
    add constraint account_removed_tells_nothing
        check (removed_at is null or (phone is null and picture_url is null and preferences = '{}'));

alter table letter
    -- Where it goes, when that is not the account's address: to a new one, or to the one before.
    add column email text,
    drop constraint letter_kind,
    add constraint letter_kind check (kind in ('email_verification', 'invitation', 'registration_repeated',
        'email_change', 'email_changed')),
    add constraint letter_to_another_address
        check ((email is not null) = (kind in ('email_change', 'email_changed')));
