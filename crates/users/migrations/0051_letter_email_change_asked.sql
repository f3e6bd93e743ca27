-- The address that an account has is told when another one is asked for.

alter table letter
    drop constraint letter_kind,
    add constraint letter_kind check (kind in ('email_verification', 'invitation', 'registration_repeated',
        'email_change', 'email_change_asked', 'email_changed')),
    drop constraint letter_to_another_address,
    -- Said once and for all: by the time the mail is written, the account may have another one.
    add constraint letter_to_another_address
        check ((email is not null) = (kind in ('email_change', 'email_change_asked', 'email_changed')));
