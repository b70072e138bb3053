-- drop-out: the same game, whose partner left after a round: a program plays on
-- killed after 5.5 s, with 1 pieces under way

INSERT INTO agent ("id", "wire_id", "run_id", "unit_id", "assignment_id", "worker_id", "status", "version", "reason", "link", "after", "due_at", "provider_data", "created_at", "ended_at") VALUES
  (1, 'nCKVgUIPaJG91SjJcBaUfUFqjlqe1L-LSDM5xg', 1, 1, 1, 1, 'in task', 3, NULL, '6u_SV_2euUs4', '', '2026-01-01T00:20:02.289668+00:00', '{"agent_registration_id":"link-076686ec40a0","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:00.791769+00:00', NULL),
  (2, 'hnzvOBfFxRdhkz28y-tGOaYQxlPGc00fqizZYg', 1, 2, 1, 2, 'returned', 4, 'returned', 'uiEHWdyQDxZu', '', NULL, '{"agent_registration_id":"link-4a4f2e1c5be6","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:01.504024+00:00', '2026-01-01T00:00:03.467307+00:00'),
  (3, 'N_YFrdix6NLWrieleMust1-iNjCAAu5vJhbGpQ', 1, 2, 1, 3, 'in task', 3, NULL, 'simulated N_YFrdix6NLWrieleMust1-iNjCAAu5vJhbGpQ', '', '2026-01-01T00:20:03.467307+00:00', '{"simulated":true}', '2026-01-01T00:00:03.467307+00:00', NULL);

INSERT INTO assignment ("id", "run_id", "row", "digest", "shared", "unit_data") VALUES
  (1, 1, 0, 'd895161a0d2312ba10e93eede88bef73149b974d7118dba3294c3222629da675', '{"id":"game-1","rounds":[["00agg8000058dd0000009d000002dc00002fgg70000dd510001e5000009d1000","00017ce1001d84d000ag9fb001gffg3000b93e00000059000000780000008600","01agf20001cdg4000000g800007bgd8008gggg6002ag9000003g400000af2000","009gg70002gb4f2004g22g6000dbdga0001adg6000003g700002de1000bff600","006cae8000fedg3001c09b000004g820009ggg90002f6000003f1000008b0000","008cd10005c26d000b506c0007a4df0001bc7c400000049000a503d0006cgda0"],["009ggc2003d54e5000007f200005gb0000008g7000000d8000455f4000cgf500","009ga1000083g4000005e200002gf70000003f2004600d7006d15g3000agf500","003c700000ecc40002e01d0001c0075002d002a000f303e0007c8bc0002bgb20","00a7300001fce60005c02d0004c0047008500480058005a000e34e60007gga00","005fd20001fb8d0005e00e5009g1079009d005e006g205f002eb5ec0005fgf30","019fd40005c4a6000003f200000fd10000029e2000000b8000a64b70008fg910"],["03ef600007fef0000272e3000001e4000007f200005fe41004fggg6004fdcb10","002gd100006fg7000036g8000003g600001dd00006eg400009ggda30004bfga0","01fga00004g9g40002c5g3000006g300001fd000008g400002gd443002dgggg2","007ff60004ggbf0007gaag1003bgg60001fga00005g5e00001d3e100005ff200","007db10006ece90005e3a900008fe200001eg60000993f4000c51b80007gg910","006cd70000gagc0000d7g900001fd000002gd00000a7a20000d4d300007f9000"],["01cgg90002e59e000001cb00000cg60000028f5000200b9004e44e6000fggb10","018dgd0001dcfg000005f800005f5000006gb100002dgb000002eg4000dgf700","00ag800007d4e70007d27800007gg50001cdf60003g24d6004g41bc0007fge20","02ce300007g1041000dggf10007ge10000feg00002g1f70005g6f70001ge9000","00bgga001eg9bg101e30ce000006g70000008g5000000ca000245ed000bggg40","002ab100005e3c00006d3f00008ff90002gb900002e2a0000076d000001f6000"],["019ggc100078ag9000009g40005dd30000dg8000000bg8000035ef0000agb400","00cgf10005gaf8000173e600000cg7000003dg6000400fb002gabg7000agga10","002af10003ggdd0005gc1c1007d5075002e007a000c20c70009ccg40000ag600","017dgd0007ggge00017ga10001gf0000008fe3000001ef300015dg70008fa600","005fd20001fb8d0005e00e5009g1079009d005e006g205f002eb5ec0005fgf30","002ce40000fcbd0004g41e6004c008800690058003c10c80008c9g30000ad300"],["018df50008e7ge000ac1ag2002cefg4000044f800000099000971ac0006dgf60","0001f2000006e000000b9060006f1bf005geag801fgggg300375db000000f300","008cd10005c26d000b506c0007a4df0001bc7c400000049000a503d0006cgda0","000ac000004f100000da120005f2f9100bd6gg900dggga20027db000000db000","0009d000002g807100ad16g506gb8ef00dgggg900220bg100004g7000009f200","006ef70003f62e3004d01g4000ab9g600018ae50000008b001c50ab0007dgg40"]],"_targets":[5,4,4,5,2,2],"_digits":["797979","330003","222888","338838","330300","949449"]}', '[{},{}]');

INSERT INTO decision ("id", "at", "last_at", "count", "run_id", "worker_id", "kind", "outcome", "reason", "facts", "agent_id", "unit_id", "onboarding_id") VALUES
  (1, '2026-01-01T00:00:00.791769+00:00', '2026-01-01T00:00:00.791769+00:00', 1, 1, 1, 'admission', 'unit', NULL, '{"rules":{"limits":{"maximum_units_per_worker":4}},"standing":{"provider":"inhouse","free_units":2},"answers":{"provider_admits":true}}', 1, 1, NULL),
  (2, '2026-01-01T00:00:01.504024+00:00', '2026-01-01T00:00:01.504024+00:00', 1, 1, 2, 'admission', 'unit', NULL, '{"rules":{"limits":{"maximum_units_per_worker":4}},"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true}}', 2, 2, NULL);

INSERT INTO fact ("scope", "key", "value") VALUES
  ('inhouse:links:describe-and-guess', 'ann', '{"issue":1,"expires":1769817601}'),
  ('inhouse:links:describe-and-guess', 'bob', '{"issue":1,"expires":1769817602}');

INSERT INTO history ("id", "at", "who", "kind", "subject_id", "run_id", "before", "after", "why") VALUES
  (1, '2026-01-01T00:00:00.000000+00:00', 'staff:ann', 'run', 1, 1, NULL, 'launching', 'launched'),
  (2, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'run', 1, 1, 'launching', 'running', 'routers are deployed'),
  (3, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, NULL, 'created', 'row added'),
  (4, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, NULL, 'created', 'row added'),
  (5, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, 'created', 'launched', 'released to workers'),
  (6, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, 'created', 'launched', 'released to workers'),
  (7, '2026-01-01T00:00:00.791769+00:00', 'worker', 'unit', 1, 1, 'launched', 'assigned', 'took unit 1'),
  (8, '2026-01-01T00:00:00.791769+00:00', 'worker', 'agent', 1, 1, NULL, 'accepted', 'took unit 1'),
  (9, '2026-01-01T00:00:00.791769+00:00', 'worker', 'agent', 1, 1, 'accepted', 'waiting', 'took unit 1'),
  (10, '2026-01-01T00:00:01.504024+00:00', 'worker', 'unit', 2, 1, 'launched', 'assigned', 'took unit 2'),
  (11, '2026-01-01T00:00:01.504024+00:00', 'worker', 'agent', 2, 1, NULL, 'accepted', 'took unit 2'),
  (12, '2026-01-01T00:00:01.504024+00:00', 'worker', 'agent', 2, 1, 'accepted', 'waiting', 'took unit 2'),
  (13, '2026-01-01T00:00:02.289668+00:00', 'daemon', 'agent', 1, 1, 'waiting', 'in task', 'the group began'),
  (14, '2026-01-01T00:00:02.289668+00:00', 'daemon', 'agent', 2, 1, 'waiting', 'in task', 'the group began'),
  (15, '2026-01-01T00:00:03.467307+00:00', 'worker', 'agent', 2, 1, 'in task', 'returned', 'given back'),
  (16, '2026-01-01T00:00:03.467307+00:00', 'daemon', 'unit', 2, 1, 'assigned', 'launched', 'given back'),
  (17, '2026-01-01T00:00:03.467307+00:00', 'worker', 'unit', 2, 1, 'launched', 'assigned', 'took unit 2'),
  (18, '2026-01-01T00:00:03.467307+00:00', 'worker', 'agent', 3, 1, NULL, 'accepted', 'took unit 2'),
  (19, '2026-01-01T00:00:03.467307+00:00', 'worker', 'agent', 3, 1, 'accepted', 'waiting', 'took unit 2'),
  (20, '2026-01-01T00:00:03.467307+00:00', 'daemon', 'agent', 3, 1, 'waiting', 'in task', 'the group began');

INSERT INTO journal_entry ("kind", "piece_id", "position", "what", "agent_id", "result", "created_at") VALUES
  ('assignment', 1, 1, 'begun', NULL, '{"agents":[1,2],"seed":206427631861589}', '2026-01-01T00:00:02.289668+00:00'),
  ('assignment', 1, 2, 'send', 1, '{"number":1}', '2026-01-01T00:00:02.289668+00:00'),
  ('assignment', 1, 3, 'send', 2, '{"number":1}', '2026-01-01T00:00:02.289668+00:00'),
  ('assignment', 1, 4, 'receive_any', 1, '{"number":1}', '2026-01-01T00:00:02.633503+00:00'),
  ('assignment', 1, 5, 'send', 2, '{"number":2}', '2026-01-01T00:00:02.633503+00:00'),
  ('assignment', 1, 6, 'send', 1, '{"number":2}', '2026-01-01T00:00:02.633503+00:00'),
  ('assignment', 1, 7, 'receive_any', 2, '{"number":1}', '2026-01-01T00:00:02.893048+00:00'),
  ('assignment', 1, 8, 'send', 1, '{"number":3}', '2026-01-01T00:00:02.893048+00:00'),
  ('assignment', 1, 9, 'send', 2, '{"number":3}', '2026-01-01T00:00:02.893048+00:00'),
  ('assignment', 1, 10, 'send', 1, '{"number":4}', '2026-01-01T00:00:02.893048+00:00'),
  ('assignment', 1, 11, 'send', 2, '{"number":4}', '2026-01-01T00:00:02.893048+00:00'),
  ('assignment', 1, 12, 'receive_any', 2, '{"number":2}', '2026-01-01T00:00:03.249703+00:00'),
  ('assignment', 1, 13, 'send', 1, '{"number":5}', '2026-01-01T00:00:03.249703+00:00'),
  ('assignment', 1, 14, 'send', 2, '{"number":5}', '2026-01-01T00:00:03.249703+00:00'),
  ('assignment', 1, 15, 'joined', 3, '{"seat":1}', '2026-01-01T00:00:03.467307+00:00'),
  ('assignment', 1, 16, 'receive_any', 3, '{"number":1}', '2026-01-01T00:00:03.467307+00:00'),
  ('assignment', 1, 17, 'receive_any', 3, '{"number":2}', '2026-01-01T00:00:03.467307+00:00'),
  ('assignment', 1, 18, 'send', 1, '{"number":6}', '2026-01-01T00:00:03.467307+00:00'),
  ('assignment', 1, 19, 'send', 3, '{"number":1}', '2026-01-01T00:00:03.467307+00:00'),
  ('assignment', 1, 20, 'receive_any', 1, '{"number":2}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 21, 'send', 3, '{"number":2}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 22, 'send', 1, '{"number":7}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 23, 'receive_any', 1, '{"number":3}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 24, 'send', 3, '{"number":3}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 25, 'send', 1, '{"number":8}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 26, 'receive_any', 3, '{"number":3}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 27, 'send', 1, '{"number":9}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 28, 'send', 3, '{"number":4}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 29, 'receive_any', 3, '{"number":4}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 30, 'send', 1, '{"number":10}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 31, 'send', 3, '{"number":5}', '2026-01-01T00:00:03.980206+00:00'),
  ('assignment', 1, 32, 'receive_any', 1, '{"number":4}', '2026-01-01T00:00:04.296486+00:00'),
  ('assignment', 1, 33, 'send', 1, '{"number":11}', '2026-01-01T00:00:04.296486+00:00'),
  ('assignment', 1, 34, 'send', 3, '{"number":6}', '2026-01-01T00:00:04.296486+00:00'),
  ('assignment', 1, 35, 'send', 1, '{"number":12}', '2026-01-01T00:00:04.296486+00:00'),
  ('assignment', 1, 36, 'send', 3, '{"number":7}', '2026-01-01T00:00:04.296486+00:00'),
  ('assignment', 1, 37, 'receive_any', 1, '{"number":5}', '2026-01-01T00:00:04.349879+00:00'),
  ('assignment', 1, 38, 'receive_any', 1, '{"number":6}', '2026-01-01T00:00:04.688263+00:00'),
  ('assignment', 1, 39, 'send', 3, '{"number":8}', '2026-01-01T00:00:04.688263+00:00'),
  ('assignment', 1, 40, 'send', 1, '{"number":13}', '2026-01-01T00:00:04.688263+00:00'),
  ('assignment', 1, 41, 'receive_any', 3, '{"number":5}', '2026-01-01T00:00:04.688263+00:00'),
  ('assignment', 1, 42, 'send', 1, '{"number":14}', '2026-01-01T00:00:04.688263+00:00'),
  ('assignment', 1, 43, 'send', 3, '{"number":9}', '2026-01-01T00:00:04.688263+00:00');

INSERT INTO lease ("id", "epoch", "holder") VALUES
  (1, 1, '24167@vm');

INSERT INTO live_update ("onboarding", "agent_id", "outgoing", "number", "update_id", "page", "page_number", "update", "created_at") VALUES
  (0, 1, 1, 1, '1.1', '', 0, '{"kind":"round","round":0,"score":0,"of":6,"order":[2,1,5,4,0,3],"role":"describe","target":5}', '2026-01-01T00:00:02.289668+00:00'),
  (0, 2, 1, 1, '2.1', '', 0, '{"kind":"round","round":0,"score":0,"of":6,"order":[2,1,4,3,0,5],"role":"guess"}', '2026-01-01T00:00:02.289668+00:00'),
  (0, 1, 0, 1, 'stream3:1', 'stream3', 1, '{"say":"A 9, I think: wide.","round":0,"update_id":"stream3.1"}', '2026-01-01T00:00:02.633503+00:00'),
  (0, 2, 1, 2, '2.2', '', 0, '{"kind":"said","round":0,"text":"A 9, I think: wide.","mine":false}', '2026-01-01T00:00:02.633503+00:00'),
  (0, 1, 1, 2, '1.2', '', 0, '{"kind":"said","round":0,"text":"A 9, I think: wide.","mine":true,"id":"None"}', '2026-01-01T00:00:02.633503+00:00'),
  (0, 2, 0, 1, 'stream4:1', 'stream4', 1, '{"pick":5,"round":0,"update_id":"stream4.1"}', '2026-01-01T00:00:02.893048+00:00'),
  (0, 1, 1, 3, '1.3', '', 0, '{"kind":"picked","round":0,"score":1,"picked":5,"target":5}', '2026-01-01T00:00:02.893048+00:00'),
  (0, 2, 1, 3, '2.3', '', 0, '{"kind":"picked","round":0,"score":1,"picked":5,"target":5}', '2026-01-01T00:00:02.893048+00:00'),
  (0, 1, 1, 4, '1.4', '', 0, '{"kind":"round","round":1,"score":1,"of":6,"order":[5,4,3,1,2,0],"role":"guess"}', '2026-01-01T00:00:02.893048+00:00'),
  (0, 2, 1, 4, '2.4', '', 0, '{"kind":"round","round":1,"score":1,"of":6,"order":[0,4,5,1,3,2],"role":"describe","target":4}', '2026-01-01T00:00:02.893048+00:00'),
  (0, 2, 0, 2, 'stream4:2', 'stream4', 2, '{"say":"A 0, I think: full in the middle.","round":1,"update_id":"stream4.2"}', '2026-01-01T00:00:03.249703+00:00'),
  (0, 1, 1, 5, '1.5', '', 0, '{"kind":"said","round":1,"text":"A 0, I think: full in the middle.","mine":false}', '2026-01-01T00:00:03.249703+00:00'),
  (0, 2, 1, 5, '2.5', '', 0, '{"kind":"said","round":1,"text":"A 0, I think: full in the middle.","mine":true,"id":"None"}', '2026-01-01T00:00:03.249703+00:00'),
  (0, 3, 0, 1, 'simulated.1', '', 0, '{"say":"Two of them fit. What else sets it apart?","round":0,"update_id":"simulated.1"}', '2026-01-01T00:00:03.467307+00:00'),
  (0, 3, 0, 2, 'simulated.2', '', 0, '{"say":"A 0, I think: full in the middle.","round":1,"update_id":"simulated.2"}', '2026-01-01T00:00:03.467307+00:00'),
  (0, 1, 1, 6, '1.6', '', 0, '{"kind":"said","round":1,"text":"A 0, I think: full in the middle.","mine":false}', '2026-01-01T00:00:03.467307+00:00'),
  (0, 3, 1, 1, '3.1', '', 0, '{"kind":"said","round":1,"text":"A 0, I think: full in the middle.","mine":true,"id":"None"}', '2026-01-01T00:00:03.467307+00:00'),
  (0, 1, 0, 2, 'stream3:2', 'stream3', 2, '{"say":"Two of them fit. What else sets it apart?","round":1,"update_id":"stream3.2"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 0, 3, 'stream3:3', 'stream3', 3, '{"say":"Still not sure. Anything else?","round":1,"update_id":"stream3.3"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 1, 2, '3.2', '', 0, '{"kind":"said","round":1,"text":"Two of them fit. What else sets it apart?","mine":false}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 0, 3, 'simulated.3', '', 0, '{"say":"Also: with lots of ink.","round":1,"update_id":"simulated.3"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 1, 7, '1.7', '', 0, '{"kind":"said","round":1,"text":"Two of them fit. What else sets it apart?","mine":true,"id":"None"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 1, 3, '3.3', '', 0, '{"kind":"said","round":1,"text":"Still not sure. Anything else?","mine":false}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 0, 4, 'simulated.4', '', 0, '{"say":"Also: leaning right.","round":1,"update_id":"simulated.4"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 1, 8, '1.8', '', 0, '{"kind":"said","round":1,"text":"Still not sure. Anything else?","mine":true,"id":"None"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 1, 9, '1.9', '', 0, '{"kind":"said","round":1,"text":"Also: with lots of ink.","mine":false}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 1, 4, '3.4', '', 0, '{"kind":"said","round":1,"text":"Also: with lots of ink.","mine":true,"id":"None"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 1, 10, '1.10', '', 0, '{"kind":"said","round":1,"text":"Also: leaning right.","mine":false}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 3, 1, 5, '3.5', '', 0, '{"kind":"said","round":1,"text":"Also: leaning right.","mine":true,"id":"None"}', '2026-01-01T00:00:03.980206+00:00'),
  (0, 1, 0, 4, 'stream3:4', 'stream3', 4, '{"pick":4,"round":1,"update_id":"stream3.4"}', '2026-01-01T00:00:04.296486+00:00'),
  (0, 1, 1, 11, '1.11', '', 0, '{"kind":"picked","round":1,"score":2,"picked":4,"target":4}', '2026-01-01T00:00:04.296486+00:00'),
  (0, 3, 1, 6, '3.6', '', 0, '{"kind":"picked","round":1,"score":2,"picked":4,"target":4}', '2026-01-01T00:00:04.296486+00:00'),
  (0, 1, 1, 12, '1.12', '', 0, '{"kind":"round","round":2,"score":2,"of":6,"order":[2,3,1,4,5,0],"role":"describe","target":4}', '2026-01-01T00:00:04.296486+00:00'),
  (0, 3, 1, 7, '3.7', '', 0, '{"kind":"round","round":2,"score":2,"of":6,"order":[1,5,0,2,3,4],"role":"guess"}', '2026-01-01T00:00:04.296486+00:00'),
  (0, 1, 0, 5, 'stream3:5', 'stream3', 5, '{"pick":4,"round":1,"update_id":"stream3.5"}', '2026-01-01T00:00:04.349879+00:00'),
  (0, 1, 0, 6, 'stream3:6', 'stream3', 6, '{"say":"An 8, I think: heavier at the bottom.","round":2,"update_id":"stream3.6"}', '2026-01-01T00:00:04.688263+00:00'),
  (0, 3, 1, 8, '3.8', '', 0, '{"kind":"said","round":2,"text":"An 8, I think: heavier at the bottom.","mine":false}', '2026-01-01T00:00:04.688263+00:00'),
  (0, 3, 0, 5, 'simulated.5', '', 0, '{"say":"Two of them fit. What else sets it apart?","round":2,"update_id":"simulated.5"}', '2026-01-01T00:00:04.688263+00:00'),
  (0, 1, 1, 13, '1.13', '', 0, '{"kind":"said","round":2,"text":"An 8, I think: heavier at the bottom.","mine":true,"id":"None"}', '2026-01-01T00:00:04.688263+00:00'),
  (0, 1, 1, 14, '1.14', '', 0, '{"kind":"said","round":2,"text":"Two of them fit. What else sets it apart?","mine":false}', '2026-01-01T00:00:04.688263+00:00'),
  (0, 3, 1, 9, '3.9', '', 0, '{"kind":"said","round":2,"text":"Two of them fit. What else sets it apart?","mine":true,"id":"None"}', '2026-01-01T00:00:04.688263+00:00');

INSERT INTO owed ("id", "run_id", "worker_id", "agent_id", "what", "seconds", "cents", "why", "created_at") VALUES
  (1, 1, 1, 1, 'waiting', 1.497899, 1, 'waited for the group', '2026-01-01T00:00:02.289668+00:00'),
  (2, 1, 2, 2, 'waiting', 0.785644, 1, 'waited for the group', '2026-01-01T00:00:02.289668+00:00');

INSERT INTO requester ("id", "name", "provider") VALUES
  (1, 'inhouse', 'inhouse');

INSERT INTO run_count ("run_id", "kind", "status", "number") VALUES
  (1, 'agent', 'in task', 2),
  (1, 'agent', 'returned', 1),
  (1, 'agent', 'waiting', 0),
  (1, 'unit', 'assigned', 2),
  (1, 'unit', 'created', 0),
  (1, 'unit', 'launched', 0);

INSERT INTO task ("id", "name", "blueprint", "project_id") VALUES
  (1, 'describe-and-guess', 'group', NULL);

INSERT INTO task_run ("id", "task_id", "requester_id", "launch_id", "label", "blueprint", "provider", "architect", "sandbox", "config", "key", "state", "trouble", "rows_made", "rows_done", "created_at", "ended_at", "next_position", "paused", "deleting", "queue") VALUES
  (1, 1, 1, 'a launch', 'describe-and-guess', 'group', 'inhouse', 'mock', 0, '{"name":"describe-and-guess","blueprint":{"type":"group","page":"page","data":null,"resume":"replay","call_limit_s":30.0,"calls_at_once_max":8,"size_min":2,"size_max":2,"waiting":{"limit_s":300.0,"fallbacks":["simulated","send_away"],"ask_after_s":30.0,"ask_s":20.0,"cents_per_minute":10},"drop_out":{"grace_s":3600.0,"policy":"simulated","replace_s":300.0,"otherwise":"end"}},"provider":{"type":"inhouse","link_days":30},"architect":{"type":"mock"},"title":"Describe and guess: a game for two","description":"Describe a handwritten digit so that your partner finds it among six. Five minutes, with a partner.","tags":["conversation","game","two players"],"label":"","task":"describe-and-guess","project":null,"requester":"inhouse","release_on_close":false,"shared_origin":false,"pay":{"reward":"1.20"},"limits":{"assignment_duration_s":1200.0,"allowed_concurrent":0,"maximum_units_per_worker":4,"max_num_concurrent_units":0,"submission_timeout_s":600,"no_submission_patience_s":43200,"grace_s":20,"rejoin_s":120},"texts":{},"task_config":{"texts":{"waiting":"Waiting for your partner","waiting_more":"The game begins as soon as somebody is here to play with you."}},"block_qualification":null,"qualifications":[],"onboarding":null,"screening":null,"gold":null,"choice":{"order":"fifo","seed":0,"column":null},"review":null}', X'45B53664CCB6DE8177146FCC6533B90D381C05E01E561D2F34F6283D9DD26E54', 'running', NULL, 1, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 5, 0, 0, 'grouped');

INSERT INTO unit ("id", "run_id", "assignment_id", "unit_index", "status", "position", "agent_id", "worker_id", "pay_cents", "rank") VALUES
  (1, 1, 1, 0, 'assigned', 3, 1, 1, 120, 1),
  (2, 1, 1, 1, 'assigned', 4, 3, 3, 120, 0);

INSERT INTO worked ("worker_id", "assignment_id") VALUES
  (1, 1),
  (2, 1),
  (3, 1);

INSERT INTO worker ("id", "provider", "name", "blocked", "provider_data", "created_at") VALUES
  (1, 'inhouse', 'ann', 0, '{}', '2026-01-01T00:00:00.791769+00:00'),
  (2, 'inhouse', 'bob', 0, '{}', '2026-01-01T00:00:01.504024+00:00'),
  (3, 'mock', 'simulated partner 2', 0, '{}', '2026-01-01T00:00:03.467307+00:00');
