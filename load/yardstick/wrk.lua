-- The requests of wrk for load/compare: wrk … URL -- writes|comment|busy-post|quiet-post ROWS. The rows are those of rows.sql.
local what, rows

local function post(i)
  return wrk.format("POST", "/comments", { ["Content-Type"] = "application/json" },
    string.format('{"postId":"post-%d","userId":"user-%d","userName":"Ann","content":"%s"}', i, i, string.rep("x", 200)))
end

function init(args)
  what, rows = args[1], tonumber(args[2])
  math.randomseed(os.time())
  if what == "writes" then
    local posts, last = {}, 0
    for i = 1, 1000 do posts[i] = post(i) end
    function request()
      last = last % #posts + 1
      return posts[last]
    end
  elseif what == "comment" then
    function request()
      return wrk.format("GET", string.format("/comments/00000000-0000-7000-8000-%012x", math.random(rows)))
    end
  elseif what == "busy-post" then
    local get = wrk.format("GET", "/comments?postId=busy&limit=20")
    function request() return get end
  else
    function request()
      return wrk.format("GET", string.format("/comments?postId=post-%d&limit=20", math.random(math.max(1, math.floor(rows / 10))) - 1))
    end
  end
end

-- answers, microseconds, the 99th percentile in microseconds, and answers that were not 2xx or are missing
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%d %d %d %d\n", summary.requests, summary.duration, latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
