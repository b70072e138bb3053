/* Second part, provider `mock`: the worker is whoever the address says, for trying things out. */

function getWorkerName() {
  return crowdParameter("worker_id");
}

function getAssignmentId() {
  return crowdParameter("assignment_id");
}

function getAgentRegistration() {
  return {
    worker_name: getWorkerName(),
    agent_registration_id: `${getAssignmentId()}-${getWorkerName()}`,
    assignment_id: getAssignmentId(),
    provider_type: "mock",
  };
}

/** None: the worker's name goes in the body of what is sent. */
function getProviderURLParams() {
  return {};
}

/** A mock provider has nobody to tell; the data is for whoever tries the page out. */
function handleSubmitToProvider(data) {
  console.info("submitted to the mock provider", data);
  crowdThanks("Submitted to the mock provider. Thank you!");
  return true;
}
