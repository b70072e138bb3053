-- replaced: a group of three in which a newcomer took the place of one who left
-- killed after 6.2 s, with 1 pieces under way

INSERT INTO agent ("id", "wire_id", "run_id", "unit_id", "assignment_id", "worker_id", "status", "version", "reason", "link", "after", "due_at", "provider_data", "created_at", "ended_at") VALUES
  (1, 'nCKVgUIPaJG91SjJcBaUfUFqjlqe1L-LSDM5xg', 1, 1, 1, 1, 'in task', 3, NULL, 'EMNjhlJPLfGn', '', '2026-01-01T00:30:02.873009+00:00', '{"agent_registration_id":"link-d88c1fd41f22","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:00.774252+00:00', NULL),
  (2, 'hnzvOBfFxRdhkz28y-tGOaYQxlPGc00fqizZYg', 1, 2, 1, 2, 'in task', 3, NULL, 'loWl2_HbGlHA', '', '2026-01-01T00:30:02.873009+00:00', '{"agent_registration_id":"link-41746aa0f551","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:01.426297+00:00', NULL),
  (3, 'VT-rrbJlvrs39gWt2LHo0tBdfpWVrs1kTe0Yjw', 1, 3, 1, 3, 'returned', 4, 'returned', 'TfeWR8kRkw_2', '', NULL, '{"agent_registration_id":"link-65bedd7fae89","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:02.379281+00:00', '2026-01-01T00:00:03.494261+00:00'),
  (4, 'tBN8i1UVc42AJZuUvKPZJ2WKcO8dRlSO9FZsiA', 1, 3, 1, 4, 'in task', 3, NULL, '-O3PxHiiZ7be', '', '2026-01-01T00:30:04.596790+00:00', '{"agent_registration_id":"link-f5af7fa44295","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:04.154787+00:00', NULL);

INSERT INTO assignment ("id", "run_id", "row", "digest", "shared", "unit_data") VALUES
  (1, 1, 0, 'b4c27584f4cb245cda846f37ccef1229d24f9d433590848c6969f6eae8869f66', '{"text":"some words to count"}', '[{},{},{}]');

INSERT INTO decision ("id", "at", "last_at", "count", "run_id", "worker_id", "kind", "outcome", "reason", "facts", "agent_id", "unit_id", "onboarding_id") VALUES
  (1, '2026-01-01T00:00:00.774252+00:00', '2026-01-01T00:00:00.774252+00:00', 1, 1, 1, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":3},"answers":{"provider_admits":true}}', 1, 1, NULL),
  (2, '2026-01-01T00:00:01.426297+00:00', '2026-01-01T00:00:01.426297+00:00', 1, 1, 2, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":2},"answers":{"provider_admits":true}}', 2, 2, NULL),
  (3, '2026-01-01T00:00:02.379281+00:00', '2026-01-01T00:00:02.379281+00:00', 1, 1, 3, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true}}', 3, 3, NULL),
  (4, '2026-01-01T00:00:04.154787+00:00', '2026-01-01T00:00:04.154787+00:00', 1, 1, 4, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true}}', 4, 3, NULL);

INSERT INTO fact ("scope", "key", "value") VALUES
  ('inhouse:links:replaced', 'ann', '{"issue":1,"expires":1769817601}'),
  ('inhouse:links:replaced', 'bob', '{"issue":1,"expires":1769817602}'),
  ('inhouse:links:replaced', 'cem', '{"issue":1,"expires":1769817602}'),
  ('inhouse:links:replaced', 'dan', '{"issue":1,"expires":1769817604}');

INSERT INTO history ("id", "at", "who", "kind", "subject_id", "run_id", "before", "after", "why") VALUES
  (1, '2026-01-01T00:00:00.000000+00:00', 'staff:ann', 'run', 1, 1, NULL, 'launching', 'launched'),
  (2, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'run', 1, 1, 'launching', 'running', 'routers are deployed'),
  (3, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, NULL, 'created', 'row added'),
  (4, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, NULL, 'created', 'row added'),
  (5, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 3, 1, NULL, 'created', 'row added'),
  (6, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, 'created', 'launched', 'released to workers'),
  (7, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, 'created', 'launched', 'released to workers'),
  (8, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 3, 1, 'created', 'launched', 'released to workers'),
  (9, '2026-01-01T00:00:00.774252+00:00', 'worker', 'unit', 1, 1, 'launched', 'assigned', 'took unit 1'),
  (10, '2026-01-01T00:00:00.774252+00:00', 'worker', 'agent', 1, 1, NULL, 'accepted', 'took unit 1'),
  (11, '2026-01-01T00:00:00.774252+00:00', 'worker', 'agent', 1, 1, 'accepted', 'waiting', 'took unit 1'),
  (12, '2026-01-01T00:00:01.426297+00:00', 'worker', 'unit', 2, 1, 'launched', 'assigned', 'took unit 2'),
  (13, '2026-01-01T00:00:01.426297+00:00', 'worker', 'agent', 2, 1, NULL, 'accepted', 'took unit 2'),
  (14, '2026-01-01T00:00:01.426297+00:00', 'worker', 'agent', 2, 1, 'accepted', 'waiting', 'took unit 2'),
  (15, '2026-01-01T00:00:02.379281+00:00', 'worker', 'unit', 3, 1, 'launched', 'assigned', 'took unit 3'),
  (16, '2026-01-01T00:00:02.379281+00:00', 'worker', 'agent', 3, 1, NULL, 'accepted', 'took unit 3'),
  (17, '2026-01-01T00:00:02.379281+00:00', 'worker', 'agent', 3, 1, 'accepted', 'waiting', 'took unit 3'),
  (18, '2026-01-01T00:00:02.873009+00:00', 'daemon', 'agent', 1, 1, 'waiting', 'in task', 'the group began'),
  (19, '2026-01-01T00:00:02.873009+00:00', 'daemon', 'agent', 2, 1, 'waiting', 'in task', 'the group began'),
  (20, '2026-01-01T00:00:02.873009+00:00', 'daemon', 'agent', 3, 1, 'waiting', 'in task', 'the group began'),
  (21, '2026-01-01T00:00:03.494261+00:00', 'worker', 'agent', 3, 1, 'in task', 'returned', 'given back'),
  (22, '2026-01-01T00:00:03.494261+00:00', 'daemon', 'unit', 3, 1, 'assigned', 'launched', 'given back'),
  (23, '2026-01-01T00:00:04.154787+00:00', 'worker', 'unit', 3, 1, 'launched', 'assigned', 'took unit 3'),
  (24, '2026-01-01T00:00:04.154787+00:00', 'worker', 'agent', 4, 1, NULL, 'accepted', 'took unit 3'),
  (25, '2026-01-01T00:00:04.154787+00:00', 'worker', 'agent', 4, 1, 'accepted', 'waiting', 'took unit 3'),
  (26, '2026-01-01T00:00:04.596790+00:00', 'daemon', 'agent', 4, 1, 'waiting', 'in task', 'the group began');

INSERT INTO journal_entry ("kind", "piece_id", "position", "what", "agent_id", "result", "created_at") VALUES
  ('assignment', 1, 1, 'begun', NULL, '{"agents":[1,2,3],"seed":201952133099222}', '2026-01-01T00:00:02.873009+00:00'),
  ('assignment', 1, 2, 'send', 1, '{"number":1}', '2026-01-01T00:00:02.873009+00:00'),
  ('assignment', 1, 3, 'send', 2, '{"number":1}', '2026-01-01T00:00:02.873009+00:00'),
  ('assignment', 1, 4, 'send', 3, '{"number":1}', '2026-01-01T00:00:02.873009+00:00'),
  ('assignment', 1, 5, 'receive_any', 3, '{"number":1}', '2026-01-01T00:00:03.261549+00:00'),
  ('assignment', 1, 6, 'send', 1, '{"number":2}', '2026-01-01T00:00:03.261549+00:00'),
  ('assignment', 1, 7, 'send', 2, '{"number":2}', '2026-01-01T00:00:03.261549+00:00'),
  ('assignment', 1, 8, 'joined', 4, '{"seat":2}', '2026-01-01T00:00:04.596790+00:00'),
  ('assignment', 1, 9, 'receive_any', 4, '{"number":1}', '2026-01-01T00:00:04.967292+00:00'),
  ('assignment', 1, 10, 'send', 1, '{"number":3}', '2026-01-01T00:00:04.967292+00:00'),
  ('assignment', 1, 11, 'send', 2, '{"number":3}', '2026-01-01T00:00:04.967292+00:00'),
  ('assignment', 1, 12, 'receive_any', 1, '{"number":1}', '2026-01-01T00:00:05.034826+00:00'),
  ('assignment', 1, 13, 'send', 2, '{"number":4}', '2026-01-01T00:00:05.034826+00:00'),
  ('assignment', 1, 14, 'send', 4, '{"number":1}', '2026-01-01T00:00:05.034826+00:00');

INSERT INTO lease ("id", "epoch", "holder") VALUES
  (1, 1, '24167@vm');

INSERT INTO live_update ("onboarding", "agent_id", "outgoing", "number", "update_id", "page", "page_number", "update", "created_at") VALUES
  (0, 1, 1, 1, '1.1', '', 0, '{"topic":"coffee"}', '2026-01-01T00:00:02.873009+00:00'),
  (0, 2, 1, 1, '2.1', '', 0, '{"topic":"coffee"}', '2026-01-01T00:00:02.873009+00:00'),
  (0, 3, 1, 1, '3.1', '', 0, '{"topic":"coffee"}', '2026-01-01T00:00:02.873009+00:00'),
  (0, 3, 0, 1, 'stream12:1', 'stream12', 1, '{"text":"I must go","update_id":"stream12.1"}', '2026-01-01T00:00:03.261549+00:00'),
  (0, 1, 1, 2, '1.2', '', 0, '{"from":2,"text":"I must go"}', '2026-01-01T00:00:03.261549+00:00'),
  (0, 2, 1, 2, '2.2', '', 0, '{"from":2,"text":"I must go"}', '2026-01-01T00:00:03.261549+00:00'),
  (0, 4, 0, 1, 'stream13:1', 'stream13', 1, '{"text":"hello","update_id":"stream13.1"}', '2026-01-01T00:00:04.967292+00:00'),
  (0, 1, 1, 3, '1.3', '', 0, '{"from":2,"text":"hello"}', '2026-01-01T00:00:04.967292+00:00'),
  (0, 2, 1, 3, '2.3', '', 0, '{"from":2,"text":"hello"}', '2026-01-01T00:00:04.967292+00:00'),
  (0, 1, 0, 1, 'stream10:1', 'stream10', 1, '{"text":"hello","update_id":"stream10.1"}', '2026-01-01T00:00:05.034826+00:00'),
  (0, 2, 1, 4, '2.4', '', 0, '{"from":0,"text":"hello"}', '2026-01-01T00:00:05.034826+00:00'),
  (0, 4, 1, 1, '4.1', '', 0, '{"from":0,"text":"hello"}', '2026-01-01T00:00:05.034826+00:00');

INSERT INTO requester ("id", "name", "provider") VALUES
  (1, 'inhouse', 'inhouse');

INSERT INTO run_count ("run_id", "kind", "status", "number") VALUES
  (1, 'agent', 'in task', 3),
  (1, 'agent', 'returned', 1),
  (1, 'agent', 'waiting', 0),
  (1, 'unit', 'assigned', 3),
  (1, 'unit', 'created', 0),
  (1, 'unit', 'launched', 0);

INSERT INTO task ("id", "name", "blueprint", "project_id") VALUES
  (1, 'replaced', 'group', NULL);

INSERT INTO task_run ("id", "task_id", "requester_id", "launch_id", "label", "blueprint", "provider", "architect", "sandbox", "config", "key", "state", "trouble", "rows_made", "rows_done", "created_at", "ended_at", "next_position", "paused", "deleting", "queue") VALUES
  (1, 1, 1, 'a launch', 'replaced', 'group', 'inhouse', 'mock', 0, '{"name":"replaced","blueprint":{"type":"group","page":"page","data":null,"resume":"replay","call_limit_s":30.0,"calls_at_once_max":8,"size_min":3,"size_max":3,"waiting":{"limit_s":600.0,"fallbacks":["smaller","simulated","send_away"],"ask_after_s":30,"ask_s":20.0,"cents_per_minute":0},"drop_out":{"grace_s":3600.0,"policy":"replace","replace_s":300.0,"otherwise":"end"}},"provider":{"type":"inhouse","link_days":30},"architect":{"type":"mock"},"title":"replaced","description":"","tags":[],"label":"","task":"replaced","project":null,"requester":"inhouse","release_on_close":false,"shared_origin":false,"pay":{"reward":"0.00"},"limits":{"assignment_duration_s":1800,"allowed_concurrent":0,"maximum_units_per_worker":0,"max_num_concurrent_units":0,"submission_timeout_s":600,"no_submission_patience_s":43200,"grace_s":20,"rejoin_s":120},"texts":{},"task_config":{},"block_qualification":null,"qualifications":[],"onboarding":null,"screening":null,"gold":null,"choice":{"order":"fifo","seed":0,"column":null},"review":null}', X'45B53664CCB6DE8177146FCC6533B90D381C05E01E561D2F34F6283D9DD26E54', 'running', NULL, 1, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 7, 0, 0, 'grouped');

INSERT INTO unit ("id", "run_id", "assignment_id", "unit_index", "status", "position", "agent_id", "worker_id", "pay_cents", "rank") VALUES
  (1, 1, 1, 0, 'assigned', 4, 1, 1, 0, 1),
  (2, 1, 1, 1, 'assigned', 5, 2, 2, 0, 0),
  (3, 1, 1, 2, 'assigned', 6, 4, 4, 0, 0);

INSERT INTO worked ("worker_id", "assignment_id") VALUES
  (1, 1),
  (2, 1),
  (3, 1),
  (4, 1);

INSERT INTO worker ("id", "provider", "name", "blocked", "provider_data", "created_at") VALUES
  (1, 'inhouse', 'ann', 0, '{}', '2026-01-01T00:00:00.774252+00:00'),
  (2, 'inhouse', 'bob', 0, '{}', '2026-01-01T00:00:01.426297+00:00'),
  (3, 'inhouse', 'cem', 0, '{}', '2026-01-01T00:00:02.379281+00:00'),
  (4, 'inhouse', 'dan', 0, '{}', '2026-01-01T00:00:04.154787+00:00');
