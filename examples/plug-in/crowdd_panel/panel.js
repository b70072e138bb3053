/* Second part, provider `panel`: the worker is whose code the address holds (`?code=`). The daemon checks it. */

function getWorkerName() {
  return crowdParameter("code") && "panel member";
}

function getAssignmentId() {
  return crowdParameter("code") && "panel";
}

function getAgentRegistration() {
  return {
    worker_name: getWorkerName(),
    agent_registration_id: getAssignmentId(),
    assignment_id: getAssignmentId(),
    provider_type: "panel",
    code: crowdParameter("code"),
  };
}

/** The code does not go into the address of requests: addresses end up in logs. */
function getProviderURLParams() {
  return {};
}

function handleSubmitToProvider() {
  crowdThanks("Your answer was saved. Thank you!");
  return true;
}
