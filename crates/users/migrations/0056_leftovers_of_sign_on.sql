-- Sign-ins that never came back, and challenges of passkeys that were met, go when they have run out, also where nobody
-- signs in that way any more: the first name people.
create policy finder on sign_on_flow for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on sign_on_flow to reservas_users_finder;
create index sign_on_flow_by_age on sign_on_flow (expires_at);
create policy finder on spent_challenge for select to reservas_users_finder using (true);
grant select (organization_id, expires_at) on spent_challenge to reservas_users_finder;
