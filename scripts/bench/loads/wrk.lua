-- Lets wrk send a request of raw bytes, several times in one write, and report as the other loads do (job.ts).
-- Arguments after `--`: the request, and how many times.
local bytes

function init(args)
  bytes = string.rep(args[1], tonumber(args[2]))
  io.write('{"ready":true}\n')
  io.flush()
  io.read() -- "go"
end

function request()
  return bytes
end

function done(summary, latency)
  local errors = {}
  for _, kind in ipairs({ "connect", "read", "write", "status", "timeout" }) do
    local count = summary.errors[kind]
    if count > 0 then table.insert(errors, string.format('"%d x %s"', count, kind)) end
  end
  if summary.requests == 0 then table.insert(errors, '"nothing was answered"') end
  -- wrk counts in microseconds.
  io.write(string.format(
    '{"result":{"done":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"errors":[%s]}}\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, table.concat(errors, ",")))
end
