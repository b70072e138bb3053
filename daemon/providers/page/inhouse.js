/*
 * Second part, provider `inhouse`: the worker is whom the signed personal link (`?link=`) was made for.
 * What is read here is only shown and echoed; the daemon checks the signature.
 */

const crowdLink = (() => {
  const token = crowdParameter("link");
  if (token === null) return null;
  try {
    const letters = token.split(".")[0].replaceAll("-", "+").replaceAll("_", "/");
    const said = JSON.parse(atob(letters)); // the payload is ASCII: other letters come as \u escapes
    return { token, worker: String(said.worker), id: String(said.link) };
  } catch {
    return { token, worker: "unknown", id: "unreadable" }; // registering says in words that it is not valid
  }
})();

function getWorkerName() {
  return crowdLink && crowdLink.worker;
}

function getAssignmentId() {
  return crowdLink && crowdLink.id;
}

function getAgentRegistration() {
  return {
    worker_name: getWorkerName(),
    agent_registration_id: `${getAssignmentId()}-${getWorkerName()}`,
    assignment_id: getAssignmentId(),
    provider_type: "inhouse",
    link: crowdLink && crowdLink.token,
  };
}

/** Nothing of the link goes into the address of requests: addresses end up in logs. */
function getProviderURLParams() {
  return {};
}

function handleSubmitToProvider() {
  crowdThanks("Your answer was saved. Thank you! You can close this page.");
  return true;
}
