-- A heartbeat. A lease that has ended is renewed too, as long as nobody has acted on its end: whoever does takes the
-- claim away in the same step. By a clock that has jumped all leases end at once, and all agents are at work.
-- Keys: task:RUN:TASK, run:RUN, slots, owners, watch. Args: run, task, attempt, fence, stage, holder, lease. Answers ok, stop.
local run, task, attempt, fence, stage, holder, lease = unpack(ARGV)
local t = load_task(run, task)
if not holds(t, attempt, fence, stage, holder) then
  return { 0, '' }
end
put(t, 'lease_until', seconds(NOW + number(lease)), 'spared', '')
redis.call('ZADD', key('watch'), t.lease_until, t.member)
if t.slot ~= '' then
  write_hold(t)
end
return { 1, stop_of(t) }
