-- Who sees a resource stands in the rules; where no rules of an organization say so, nothing has to be looked at one by one.
alter table rules add column see jsonb generated always as (rules #> '{policy,access,see}') stored;
create index rules_see on rules (organization_id) where see is not null;
