-- onboarding: two newcomers with whom code talks, at different places
-- killed after 3.3 s, with 2 pieces under way

INSERT INTO assignment ("id", "run_id", "row", "digest", "shared", "unit_data") VALUES
  (1, 1, 0, '8816e2301eddb648d41330f43f8a6285e53bbbb6dcef694e603168db5629079c', '{"text":"some words to count"}', '[{}]');

INSERT INTO decision ("id", "at", "last_at", "count", "run_id", "worker_id", "kind", "outcome", "reason", "facts", "agent_id", "unit_id", "onboarding_id") VALUES
  (1, '2026-01-01T00:00:00.876984+00:00', '2026-01-01T00:00:00.876984+00:00', 1, 1, 1, 'admission', 'onboarding', NULL, '{"rules":{"onboarding":"can talk"},"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true,"pages":[{"looked_at":1,"last":1,"kept":[1],"more":true}]}}', NULL, NULL, 1),
  (2, '2026-01-01T00:00:01.541709+00:00', '2026-01-01T00:00:01.541709+00:00', 1, 1, 2, 'admission', 'onboarding', NULL, '{"rules":{"onboarding":"can talk"},"standing":{"provider":"inhouse","free_units":1},"answers":{"provider_admits":true,"pages":[{"looked_at":1,"last":1,"kept":[1],"more":true}]}}', NULL, NULL, 2);

INSERT INTO fact ("scope", "key", "value") VALUES
  ('inhouse:links:onboarding', 'ann', '{"issue":1,"expires":1769817601}'),
  ('inhouse:links:onboarding', 'bob', '{"issue":1,"expires":1769817602}');

INSERT INTO history ("id", "at", "who", "kind", "subject_id", "run_id", "before", "after", "why") VALUES
  (1, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'qualification', 1, NULL, NULL, 'can talk', 'created'),
  (2, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'qualification', 2, NULL, NULL, 'can talk-failed', 'created'),
  (3, '2026-01-01T00:00:00.000000+00:00', 'staff:ann', 'run', 1, 1, NULL, 'launching', 'launched'),
  (4, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'run', 1, 1, 'launching', 'running', 'routers are deployed'),
  (5, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, NULL, 'created', 'row added'),
  (6, '2026-01-01T00:00:00.000000+00:00', 'daemon', 'unit', 1, 1, 'created', 'launched', 'released to workers'),
  (7, '2026-01-01T00:00:00.876984+00:00', 'worker', 'onboarding', 1, 1, NULL, 'onboarding', 'began onboarding'),
  (8, '2026-01-01T00:00:01.541709+00:00', 'worker', 'onboarding', 2, 1, NULL, 'onboarding', 'began onboarding');

INSERT INTO journal_entry ("kind", "piece_id", "position", "what", "agent_id", "result", "created_at") VALUES
  ('onboarding', 1, 1, 'begun', NULL, '{"agents":[1],"seed":26135831215238}', '2026-01-01T00:00:00.876984+00:00'),
  ('onboarding', 1, 2, 'send', 1, '{"number":1}', '2026-01-01T00:00:00.876984+00:00'),
  ('onboarding', 2, 1, 'begun', NULL, '{"agents":[2],"seed":231896777094711}', '2026-01-01T00:00:01.541709+00:00'),
  ('onboarding', 2, 2, 'send', 2, '{"number":1}', '2026-01-01T00:00:01.541709+00:00'),
  ('onboarding', 1, 3, 'receive', 1, '{"number":1}', '2026-01-01T00:00:02.112519+00:00'),
  ('onboarding', 1, 4, 'send', 1, '{"number":2}', '2026-01-01T00:00:02.112519+00:00');

INSERT INTO lease ("id", "epoch", "holder") VALUES
  (1, 1, '24167@vm');

INSERT INTO live_update ("onboarding", "agent_id", "outgoing", "number", "update_id", "page", "page_number", "update", "created_at") VALUES
  (1, 1, 1, 1, 'o1.1', '', 0, '{"question":"blue"}', '2026-01-01T00:00:00.876984+00:00'),
  (1, 2, 1, 1, 'o2.1', '', 0, '{"question":"blue"}', '2026-01-01T00:00:01.541709+00:00'),
  (1, 1, 0, 1, 'stream7:1', 'stream7', 1, '{"text":"blue","update_id":"stream7.1"}', '2026-01-01T00:00:02.112519+00:00'),
  (1, 1, 1, 2, 'o1.2', '', 0, '{"heard":"blue","and":"again"}', '2026-01-01T00:00:02.112519+00:00');

INSERT INTO onboarding_agent ("id", "wire_id", "run_id", "worker_id", "status", "version", "reason", "link", "after", "data", "due_at", "provider_data", "created_at", "ended_at") VALUES
  (1, 'onboarding_nCKVgUIPaJG91SjJcBaUfS_kk69r8FIyPV2gCg', 1, 1, 'onboarding', 1, NULL, 'WcbeDFW_z0_k', '', 'null', '2026-01-01T00:30:00.876984+00:00', '{"page":{"word":"blue"},"provider":{"agent_registration_id":"link-1bf97244b81f","assignment_id":"link","provider_type":"inhouse"}}', '2026-01-01T00:00:00.876984+00:00', NULL),
  (2, 'onboarding_YZM9vMvrRjlVP6utsmW-u5ehHpcvKQFos9a9Jw', 1, 2, 'onboarding', 1, NULL, '5elI_c_8I1b3', '', 'null', '2026-01-01T00:30:01.541709+00:00', '{"page":{"word":"blue"},"provider":{"agent_registration_id":"link-d92df4e26876","assignment_id":"link","provider_type":"inhouse"}}', '2026-01-01T00:00:01.541709+00:00', NULL);

INSERT INTO qualification ("id", "name", "description", "created_at") VALUES
  (1, 'can talk', 'Onboarding: 1 passed, 0 failed.', '2026-01-01T00:00:00.000000+00:00'),
  (2, 'can talk-failed', 'Failed the onboarding.', '2026-01-01T00:00:00.000000+00:00');

INSERT INTO requester ("id", "name", "provider") VALUES
  (1, 'inhouse', 'inhouse');

INSERT INTO run_count ("run_id", "kind", "status", "number") VALUES
  (1, 'onboarding', 'onboarding', 2),
  (1, 'unit', 'created', 0),
  (1, 'unit', 'launched', 1);

INSERT INTO sqlite_sequence ("name", "seq") VALUES
  ('qualification', 2);

INSERT INTO task ("id", "name", "blueprint", "project_id") VALUES
  (1, 'onboarding', 'live', NULL);

INSERT INTO task_run ("id", "task_id", "requester_id", "launch_id", "label", "blueprint", "provider", "architect", "sandbox", "config", "key", "state", "trouble", "rows_made", "rows_done", "created_at", "ended_at", "next_position", "paused", "deleting", "queue") VALUES
  (1, 1, 1, 'a launch', 'onboarding', 'live', 'inhouse', 'mock', 0, '{"name":"onboarding","blueprint":{"type":"live","page":"page","data":null,"resume":"replay","call_limit_s":30.0,"calls_at_once_max":8,"units_per_assignment":1,"drop_out":{"grace_s":3600.0}},"provider":{"type":"inhouse","link_days":30},"architect":{"type":"mock"},"title":"onboarding","description":"","tags":[],"label":"","task":"onboarding","project":null,"requester":"inhouse","release_on_close":false,"shared_origin":false,"pay":{"reward":"0.00"},"limits":{"assignment_duration_s":1800,"allowed_concurrent":0,"maximum_units_per_worker":0,"max_num_concurrent_units":0,"submission_timeout_s":600,"no_submission_patience_s":43200,"grace_s":20,"rejoin_s":120},"texts":{},"task_config":{},"block_qualification":null,"qualifications":[],"onboarding":{"qualification":"can talk","data":{"word":"blue"},"time_s":null},"screening":null,"gold":null,"choice":{"order":"fifo","seed":0,"column":null},"review":null}', X'45B53664CCB6DE8177146FCC6533B90D381C05E01E561D2F34F6283D9DD26E54', 'running', NULL, 1, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 3, 0, 0, 'fifo');

INSERT INTO unit ("id", "run_id", "assignment_id", "unit_index", "status", "position", "agent_id", "worker_id", "pay_cents", "rank") VALUES
  (1, 1, 1, 0, 'launched', 2, NULL, NULL, 0, 0);

INSERT INTO worker ("id", "provider", "name", "blocked", "provider_data", "created_at") VALUES
  (1, 'inhouse', 'ann', 0, '{}', '2026-01-01T00:00:00.876984+00:00'),
  (2, 'inhouse', 'bob', 0, '{}', '2026-01-01T00:00:01.541709+00:00');
