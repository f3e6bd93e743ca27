-- Messages as organizations word them. What has no row here looks as we made it.

create table message_template (
    organization_id uuid not null,
    kind text not null,
    language text not null,
    subject text not null,
    text text not null,
    html text not null,
    changed_by uuid not null,
    updated_at timestamptz not null default now(),
    primary key (organization_id, kind, language),
    constraint message_template_kind check (kind in ('booking_confirmed', 'booking_moved', 'booking_cancelled')),
    constraint message_template_language check (language in ('en', 'pt', 'es')),
    constraint message_template_lengths
        check (length(subject) <= 20000 and length(text) <= 20000 and length(html) <= 20000)
);
call protect('message_template');
