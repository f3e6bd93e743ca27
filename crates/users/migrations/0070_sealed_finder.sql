-- Whose rows have sealed values is found across organizations, so that another key can follow.

create policy finder on totp for select to reservas_users_finder using (true);
grant select (organization_id) on totp to reservas_users_finder;

create policy finder on single_sign_on for select to reservas_users_finder using (true);
grant select (organization_id) on single_sign_on to reservas_users_finder;
