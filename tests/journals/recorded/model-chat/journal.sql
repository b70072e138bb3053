-- model-chat: the example: three replies of a model
-- killed after 3.0 s, with 1 pieces under way

INSERT INTO agent ("id", "wire_id", "run_id", "unit_id", "assignment_id", "worker_id", "status", "version", "reason", "link", "after", "due_at", "provider_data", "created_at", "ended_at") VALUES
  (1, 'nCKVgUIPaJG91SjJcBaUfUFqjlqe1L-LSDM5xg', 1, 1, 1, 1, 'in task', 2, NULL, 'mp_-FQ1Q6cGb', '', '2026-01-01T00:30:00.901728+00:00', '{"agent_registration_id":"link-d3e5bc4d65af","assignment_id":"link","provider_type":"inhouse"}', '2026-01-01T00:00:00.901728+00:00', NULL);

INSERT INTO assignment ("id", "run_id", "row", "digest", "shared", "unit_data") VALUES
  (1, 1, 0, '0aec8ff44b075f79ba8797206a890e09b9ecd7633da4fae067557c913a64db25', '{"subject":"Ask it which way to go, and what it knows about the people there.","_model":"echo"}', '[{},{},{}]');

INSERT INTO decision ("id", "at", "last_at", "count", "run_id", "worker_id", "kind", "outcome", "reason", "facts", "agent_id", "unit_id", "onboarding_id") VALUES
  (1, '2026-01-01T00:00:00.901728+00:00', '2026-01-01T00:00:00.901728+00:00', 1, 1, 1, 'admission', 'unit', NULL, '{"standing":{"provider":"inhouse","free_units":3},"answers":{"provider_admits":true}}', 1, 1, NULL);

INSERT INTO fact ("scope", "key", "value") VALUES
  ('inhouse:links:model-chat', 'ann', '{"issue":1,"expires":1769817601}');

INSERT INTO history ("id", "at", "who", "kind", "subject_id", "run_id", "before", "after", "why") VALUES
  (1, '2026-01-01T00:00:00.000000+00:00', 'staff:ann', 'run', 1, 1, NULL, 'launching', 'launched'),
  (2, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'run', 1, 1, 'launching', 'running', 'routers are deployed'),
  (3, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, NULL, 'created', 'row added'),
  (4, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, NULL, 'created', 'row added'),
  (5, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 3, 1, NULL, 'created', 'row added'),
  (6, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, 'created', 'launched', 'released to workers'),
  (7, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 2, 1, 'created', 'launched', 'released to workers'),
  (8, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 3, 1, 'created', 'launched', 'released to workers'),
  (9, '2026-01-01T00:00:00.901728+00:00', 'worker', 'unit', 1, 1, 'launched', 'assigned', 'took unit 1'),
  (10, '2026-01-01T00:00:00.901728+00:00', 'worker', 'agent', 1, 1, NULL, 'accepted', 'took unit 1'),
  (11, '2026-01-01T00:00:00.901728+00:00', 'worker', 'agent', 1, 1, 'accepted', 'in task', 'took unit 1');

INSERT INTO journal_entry ("kind", "piece_id", "position", "what", "agent_id", "result", "created_at") VALUES
  ('unit', 1, 1, 'begun', NULL, '{"agents":[1],"seed":26135831215238}', '2026-01-01T00:00:00.901728+00:00');

INSERT INTO lease ("id", "epoch", "holder") VALUES
  (1, 1, '24167@vm');

INSERT INTO live_update ("onboarding", "agent_id", "outgoing", "number", "update_id", "page", "page_number", "update", "created_at") VALUES
  (0, 1, 0, 1, 'stream5:1', 'stream5', 1, '{"request_id":"line 0","target":"reply","args":"{\"text\": \"Hello, who are you?\", \"before\": []}","update_id":"stream5.1"}', '2026-01-01T00:00:01.424779+00:00'),
  (0, 1, 1, 1, '1.1', '', 0, '{"handles":"line 0","response":"{\"text\":\"I think you ought to tell me who you are, first.\"}"}', '2026-01-01T00:00:01.424779+00:00'),
  (0, 1, 0, 2, 'stream5:2', 'stream5', 2, '{"request_id":"line 1","target":"reply","args":"{\"text\": \"Why?\", \"before\": [\"I think you ought to tell me who you are, first.\"]}","update_id":"stream5.2"}', '2026-01-01T00:00:01.595337+00:00'),
  (0, 1, 1, 2, '1.2', '', 0, '{"handles":"line 1","response":"{\"text\":\"Why?\"}"}', '2026-01-01T00:00:01.595337+00:00'),
  (0, 1, 0, 3, 'stream5:3', 'stream5', 3, '{"request_id":"line 2","target":"reply","args":"{\"text\": \"Do you like cats?\", \"before\": [\"I think you ought to tell me who you are, first.\", \"Why?\"]}","update_id":"stream5.3"}', '2026-01-01T00:00:01.824127+00:00'),
  (0, 1, 1, 3, '1.3', '', 0, '{"handles":"line 2","response":"{\"text\":\"It’s a Cheshire cat, and that’s why. Pig!\"}"}', '2026-01-01T00:00:01.824127+00:00');

INSERT INTO requester ("id", "name", "provider") VALUES
  (1, 'inhouse', 'inhouse');

INSERT INTO run_count ("run_id", "kind", "status", "number") VALUES
  (1, 'agent', 'in task', 1),
  (1, 'unit', 'assigned', 1),
  (1, 'unit', 'created', 0),
  (1, 'unit', 'launched', 2);

INSERT INTO task ("id", "name", "blueprint", "project_id") VALUES
  (1, 'model-chat', 'remote_procedure', NULL);

INSERT INTO task_run ("id", "task_id", "requester_id", "launch_id", "label", "blueprint", "provider", "architect", "sandbox", "config", "key", "state", "trouble", "rows_made", "rows_done", "created_at", "ended_at", "next_position", "paused", "deleting", "queue") VALUES
  (1, 1, 1, 'a launch', 'model-chat', 'remote_procedure', 'inhouse', 'mock', 0, '{"name":"model-chat","blueprint":{"type":"remote_procedure","page":"page","data":null,"resume":"replay","call_limit_s":10.0,"calls_at_once_max":2,"units_per_assignment":3,"drop_out":{"grace_s":3600.0}},"provider":{"type":"inhouse","link_days":30},"architect":{"type":"mock"},"title":"Talk with a small model","description":"Write six lines to a program that has read one old book, and say how well each of its replies fits.","tags":["conversation","rating","models"],"label":"","task":"model-chat","project":null,"requester":"inhouse","release_on_close":false,"shared_origin":false,"pay":{"reward":"0.60"},"limits":{"assignment_duration_s":1800.0,"allowed_concurrent":0,"maximum_units_per_worker":0,"max_num_concurrent_units":0,"submission_timeout_s":600,"no_submission_patience_s":43200,"grace_s":20,"rejoin_s":120},"texts":{},"task_config":{"turns":6},"block_qualification":null,"qualifications":[],"onboarding":null,"screening":null,"gold":null,"choice":{"order":"fifo","seed":0,"column":null},"review":null}', X'45B53664CCB6DE8177146FCC6533B90D381C05E01E561D2F34F6283D9DD26E54', 'running', NULL, 1, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 7, 0, 0, 'fifo');

INSERT INTO unit ("id", "run_id", "assignment_id", "unit_index", "status", "position", "agent_id", "worker_id", "pay_cents", "rank") VALUES
  (1, 1, 1, 0, 'assigned', 4, 1, 1, 60, 0),
  (2, 1, 1, 1, 'launched', 5, NULL, NULL, 60, 0),
  (3, 1, 1, 2, 'launched', 6, NULL, NULL, 60, 0);

INSERT INTO worked ("worker_id", "assignment_id") VALUES
  (1, 1);

INSERT INTO worker ("id", "provider", "name", "blocked", "provider_data", "created_at") VALUES
  (1, 'inhouse', 'ann', 0, '{}', '2026-01-01T00:00:00.901728+00:00');

INSERT INTO worker_cursor ("worker_id", "run_id", "position") VALUES
  (1, 1, 4);
