-- everything: what one worker's code can wait for: time, chance, a thread, a word in time, the next word
-- killed after 10.2 s, with 1 pieces under way

INSERT INTO agent ("id", "wire_id", "run_id", "unit_id", "assignment_id", "worker_id", "status", "version", "reason", "link", "after", "due_at", "provider_data", "created_at", "ended_at") VALUES
  (1, 'nCKVgUIPaJG91SjJcBaUfUFqjlqe1L-LSDM5xg', 1, 1, 1, 1, 'in task', 2, NULL, 'bfDnJlaGP-cK', '', '2026-01-01T00:30:00.806985+00:00', '{"agent_registration_id":"link-aaa079d7d075","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:00.806985+00:00', NULL);

INSERT INTO assignment ("id", "run_id", "row", "digest", "shared", "unit_data") VALUES
  (1, 1, 0, '8816e2301eddb648d41330f43f8a6285e53bbbb6dcef694e603168db5629079c', '{"text":"some words to count"}', '[{}]');

INSERT INTO decision ("id", "at", "last_at", "count", "run_id", "worker_id", "kind", "outcome", "reason", "facts", "agent_id", "unit_id", "onboarding_id") VALUES
  (1, '2026-01-01T00:00:00.806985+00:00', '2026-01-01T00:00:00.806985+00:00', 1, 1, 1, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true}}', 1, 1, NULL);

INSERT INTO fact ("scope", "key", "value") VALUES
  ('inhouse:links:everything', 'ann', '{"issue":1,"expires":1769817601}');

INSERT INTO history ("id", "at", "who", "kind", "subject_id", "run_id", "before", "after", "why") VALUES
  (1, '2026-01-01T00:00:00.000000+00:00', 'staff:ann', 'run', 1, 1, NULL, 'launching', 'launched'),
  (2, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'run', 1, 1, 'launching', 'running', 'routers are deployed'),
  (3, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, NULL, 'created', 'row added'),
  (4, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, 'created', 'launched', 'released to workers'),
  (5, '2026-01-01T00:00:00.806985+00:00', 'worker', 'unit', 1, 1, 'launched', 'assigned', 'took unit 1'),
  (6, '2026-01-01T00:00:00.806985+00:00', 'worker', 'agent', 1, 1, NULL, 'accepted', 'took unit 1'),
  (7, '2026-01-01T00:00:00.806985+00:00', 'worker', 'agent', 1, 1, 'accepted', 'in task', 'took unit 1');

INSERT INTO journal_entry ("kind", "piece_id", "position", "what", "agent_id", "result", "created_at") VALUES
  ('unit', 1, 1, 'begun', NULL, '{"agents":[1],"seed":26135831215238}', '2026-01-01T00:00:00.806985+00:00'),
  ('unit', 1, 2, 'now', NULL, '"2026-01-01T00:00:00.806985+00:00"', '2026-01-01T00:00:00.806985+00:00'),
  ('unit', 1, 3, 'send', 1, '{"number":1}', '2026-01-01T00:00:00.806985+00:00'),
  ('unit', 1, 4, 'receive', 1, '{}', '2026-01-01T00:00:05.806985+00:00'),
  ('unit', 1, 5, 'send', 1, '{"number":2}', '2026-01-01T00:00:05.806985+00:00'),
  ('unit', 1, 6, 'sleep', NULL, 'null', '2026-01-01T00:00:08.806985+00:00'),
  ('unit', 1, 7, 'run', NULL, '{"result":4}', '2026-01-01T00:00:08.806985+00:00'),
  ('unit', 1, 8, 'send', 1, '{"number":3}', '2026-01-01T00:00:08.806985+00:00'),
  ('unit', 1, 9, 'receive', 1, '{"number":1}', '2026-01-01T00:00:09.004392+00:00'),
  ('unit', 1, 10, 'now', NULL, '"2026-01-01T00:00:09.004392+00:00"', '2026-01-01T00:00:09.004392+00:00'),
  ('unit', 1, 11, 'send', 1, '{"number":4}', '2026-01-01T00:00:09.004392+00:00'),
  ('unit', 1, 12, 'receive', 1, '{"number":2}', '2026-01-01T00:00:09.004392+00:00'),
  ('unit', 1, 13, 'now', NULL, '"2026-01-01T00:00:09.004392+00:00"', '2026-01-01T00:00:09.004392+00:00'),
  ('unit', 1, 14, 'send', 1, '{"number":5}', '2026-01-01T00:00:09.004392+00:00');

INSERT INTO lease ("id", "epoch", "holder") VALUES
  (1, 1, '24167@vm');

INSERT INTO live_update ("onboarding", "agent_id", "outgoing", "number", "update_id", "page", "page_number", "update", "created_at") VALUES
  (0, 1, 1, 1, '1.1', '', 0, '{"began":"2026-01-01T00:00:00.806985+00:00","thrown":6}', '2026-01-01T00:00:00.806985+00:00'),
  (0, 1, 1, 2, '1.2', '', 0, '{"heard":null}', '2026-01-01T00:00:05.806985+00:00'),
  (0, 1, 1, 3, '1.3', '', 0, '{"words":4,"thrown":4}', '2026-01-01T00:00:08.806985+00:00'),
  (0, 1, 0, 1, 'stream9:1', 'stream9', 1, '{"text":"hello","update_id":"stream9.1"}', '2026-01-01T00:00:09.004392+00:00'),
  (0, 1, 0, 2, 'stream9:2', 'stream9', 2, '{"text":"once more","update_id":"stream9.2"}', '2026-01-01T00:00:09.004392+00:00'),
  (0, 1, 1, 4, '1.4', '', 0, '{"echo":"hello","at":"2026-01-01T00:00:09.004392+00:00"}', '2026-01-01T00:00:09.004392+00:00'),
  (0, 1, 1, 5, '1.5', '', 0, '{"echo":"once more","at":"2026-01-01T00:00:09.004392+00:00"}', '2026-01-01T00:00:09.004392+00:00');

INSERT INTO requester ("id", "name", "provider") VALUES
  (1, 'inhouse', 'inhouse');

INSERT INTO run_count ("run_id", "kind", "status", "number") VALUES
  (1, 'agent', 'in task', 1),
  (1, 'unit', 'assigned', 1),
  (1, 'unit', 'created', 0),
  (1, 'unit', 'launched', 0);

INSERT INTO task ("id", "name", "blueprint", "project_id") VALUES
  (1, 'everything', 'live', NULL);

INSERT INTO task_run ("id", "task_id", "requester_id", "launch_id", "label", "blueprint", "provider", "architect", "sandbox", "config", "key", "state", "trouble", "rows_made", "rows_done", "created_at", "ended_at", "next_position", "paused", "deleting", "queue") VALUES
  (1, 1, 1, 'a launch', 'everything', 'live', 'inhouse', 'mock', 0, '{"name":"everything","blueprint":{"type":"live","page":"page","data":null,"resume":"replay","call_limit_s":30.0,"calls_at_once_max":8,"units_per_assignment":1,"drop_out":{"grace_s":3600.0}},"provider":{"type":"inhouse","link_days":30},"architect":{"type":"mock"},"title":"everything","description":"","tags":[],"label":"","task":"everything","project":null,"requester":"inhouse","release_on_close":false,"shared_origin":false,"pay":{"reward":"0.00"},"limits":{"assignment_duration_s":1800,"allowed_concurrent":0,"maximum_units_per_worker":0,"max_num_concurrent_units":0,"submission_timeout_s":600,"no_submission_patience_s":43200,"grace_s":20,"rejoin_s":120},"texts":{},"task_config":{},"block_qualification":null,"qualifications":[],"onboarding":null,"screening":null,"gold":null,"choice":{"order":"fifo","seed":0,"column":null},"review":null}', X'45B53664CCB6DE8177146FCC6533B90D381C05E01E561D2F34F6283D9DD26E54', 'running', NULL, 1, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 3, 0, 0, 'fifo');

INSERT INTO unit ("id", "run_id", "assignment_id", "unit_index", "status", "position", "agent_id", "worker_id", "pay_cents", "rank") VALUES
  (1, 1, 1, 0, 'assigned', 2, 1, 1, 0, 0);

INSERT INTO worked ("worker_id", "assignment_id") VALUES
  (1, 1);

INSERT INTO worker ("id", "provider", "name", "blocked", "provider_data", "created_at") VALUES
  (1, 'inhouse', 'ann', 0, '{}', '2026-01-01T00:00:00.806985+00:00');

INSERT INTO worker_cursor ("worker_id", "run_id", "position") VALUES
  (1, 1, 2);
