-- People whose bookings are requests that block nobody until they are approved.
insert into bookings.membership (organization_id, user_id, group_id)
select bench.id(1, 1, 0), bench.id(3, 1, n), bench.id(7, 1, 1) from generate_series(100, 163) n;
insert into bookings.rules (organization_id, scope_id, scope, version, rules)
values (bench.id(1, 1, 0), bench.id(7, 1, 1), 'group', 1,
        '{"policy": {"approval": {"always": true}, "pending_blocks": false}}');
