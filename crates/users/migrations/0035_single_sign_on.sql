-- Single sign-on: an organization's identity provider, whom it knows, and sign-ins that are on their way there and back.

create table single_sign_on (
    organization_id uuid not null,
    -- As `contracts::users::SingleSignOn` writes them.
    settings jsonb not null,
    -- Shown to the provider, so it cannot be kept as a hash: sealed (0045), which adds 49 bytes.
    client_secret bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint single_sign_on_pkey primary key (organization_id),
    constraint single_sign_on_organization foreign key (organization_id) references organization (organization_id),
    constraint single_sign_on_secret_is_sealed check (length(client_secret) between 50 and 1073 and get_byte(client_secret, 0) = 1)
);
call protect('single_sign_on');

-- Who somebody is to a provider. Its issuer and subject together are never given to anybody else (OpenID Connect Core,
-- section 5.7); an e-mail address may be.
create table identity (
    organization_id uuid not null,
    issuer text not null,
    subject text not null,
    user_id uuid not null,
    created_at timestamptz not null,
    constraint identity_pkey primary key (organization_id, issuer, subject),
    constraint identity_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint identity_one_a_provider unique (organization_id, user_id, issuer)
);
call protect('identity', 'select, insert, delete');

create table sign_on_flow (
    organization_id uuid not null,
    id uuid not null,
    purpose text not null,
    -- asked: by somebody signed in; sent: to the provider; returned: being looked at; answered: a code is out.
    stage text not null,
    -- SHA-256 of the token that takes it one stage further, once.
    hash bytea not null,
    -- SHA-256 of what the browser that was sent keeps in a cookie.
    browser_hash bytea,
    issuer text not null,
    return_to text,
    -- The client's (RFC 7636, section 4.2), and what it wants back beside the code.
    code_challenge text,
    client_state text,
    remember boolean not null,
    -- Who proves again who they are, and in which session; later, who signed in.
    user_id uuid,
    session_id uuid,
    second_factor boolean not null,
    subject text,
    authenticated_at timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint sign_on_flow_pkey primary key (organization_id, id),
    constraint sign_on_flow_account foreign key (organization_id, user_id) references account (organization_id, id),
    constraint sign_on_flow_purpose check (purpose in ('sign_in', 'step_up', 'link')),
    constraint sign_on_flow_stage check (stage in ('asked', 'sent', 'returned', 'answered')),
    constraint sign_on_flow_is_sha256 check (length(hash) = 32 and length(browser_hash) = 32),
    constraint sign_on_flow_is_the_clients check ((return_to is null) = (code_challenge is null)),
    constraint sign_on_flow_is_somebodys
        check (purpose = 'sign_in' or (user_id is not null and session_id is not null)),
    constraint sign_on_flow_has_an_answer check (stage <> 'answered' or (user_id is not null and subject is not null))
);
create index sign_on_flow_by_user on sign_on_flow (organization_id, user_id);
call protect('sign_on_flow');
