-- once
-- Notices a new epoch or a restarted server and keeps admission quiet for a while.
-- Keys: board. Args: server's run id ('' unknown), quiet seconds of a new epoch, a new epoch's id, those of a restart.
local server, quiet, epoch, restarted = ARGV[1], number(ARGV[2]), ARGV[3], number(ARGV[4])
local board = key('board')
redis.call('HSETNX', board, 'born', STAMP)
local known = redis.call('HMGET', board, 'epoch', 'server', 'quiet_until')
if known[1] and (server == '' or known[2] == server) then
  return 0
end
if not known[1] then
  redis.call('HSET', board, 'epoch', epoch, 'version', 0)
end
local till = math.max(number(known[3]), NOW + (known[1] and restarted or quiet))
redis.call('HSET', board, 'server', server, 'quiet_until', seconds(till))
return 1
