/* A page as task authors make it with the published mephisto-task: ?hook=live or ?hook=rpc. It hands what the
 * hooks give it to the test that drives the browser, as `window.mephisto`, and keeps what it was told. */
import React from "react";
import ReactDOM from "react-dom";
import { useMephistoLiveTask, useMephistoRemoteProcedureTask } from "mephisto-task";

const heard = [];
const statuses = [];

function LivePage() {
  const task = useMephistoLiveTask({
    onLiveUpdate: (update) => {
      heard.push(update);
      window.noteSeen?.(update);
    },
    onStatusUpdate: ({ status }) => statuses.push(status),
  });
  React.useEffect(() => {
    if (task.agentId) task.connect(task.agentId);
  }, [task.agentId]);
  window.mephisto = { ...task, heard, statuses };
  return <pre id="state">{`${task.agentId} ${task.connectionStatus} ${task.agentStatus}`}</pre>;
}

function RemoteProcedurePage() {
  const task = useMephistoRemoteProcedureTask({});
  window.mephisto = { ...task, heard, statuses };
  return <pre id="state">{task.agentId}</pre>;
}

const isRemote = new URLSearchParams(location.search).get("hook") === "rpc";
ReactDOM.render(isRemote ? <RemoteProcedurePage /> : <LivePage />, document.getElementById("app"));
