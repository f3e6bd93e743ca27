-- Preferences of more ways than mail: each new one needs no change of the tables.

alter table preference drop constraint preference_channel,
    add constraint preference_channel check (channel ~ '^[a-z_]+$');
alter table preference_rule drop constraint preference_rule_channel,
    add constraint preference_rule_channel check (channel ~ '^[a-z_]+$');
