-- Writes a batch of one partition, as a whole or not at all. What is not newer than what is there changes nothing.
--
-- KEYS[1] <prefix>:progress   ARGV[1] prefix   ARGV[2] msgpack of the batch:
--   partition, epoch, from {topic: offset}, to {topic: offset}, read_at, refresh (what is equal is written again), stream_length, entries
-- Each entry is an array, its kind first:
--   T account offset generation revision owner fields standings   current tiers; a standing is {scheme, tier, score}
--   X account offset                                              the account is erased
--   C account generation scheme sequence why notice               a transition: its explanation, and the notice ('' for none)
--   L account generation lead_id owner expires_at fields          a hot lead
--   S account                                                     gone, unless the rebuild that is over has found it
-- Returns {-1} where Redis has lost what was written before (the writer starts from what Redis still has), else how many entries
-- {changed, changed nothing} for tiers, explanations, leads, erasures.
--
-- What makes a write news: within a generation of an account the greater revision, between generations (whose names have no order) the
-- greater offset, for it is one partition; of a transition the greater sequence in the generation that is there. An account that is gone
-- is remembered by the offset of its erasure.

local prefix, batch = ARGV[1], cmsgpack.unpack(ARGV[2])
local progress, place = KEYS[1], ':' .. string.format('%d', batch.partition)
local call = redis.call
local KEPT_MS = 604800000 -- how long an erasure is remembered for writers that are late

local function number(text) return text and tonumber(text) or -1 end
local function whole(n) return string.format('%.0f', n) end

if math.max(0, number(call('HGET', progress, 'epoch' .. place))) ~= batch.epoch then return {-1} end
for topic, from in pairs(batch.from) do
  if number(call('HGET', progress, topic .. place)) < from then return {-1} end
end

local function boards(scheme, tier, owner)
  local all = prefix .. ':top:' .. scheme
  if owner == '' then return {all, all .. ':tier:' .. tier} end
  local own = all .. ':owner:' .. owner
  return {all, all .. ':tier:' .. tier, own, own .. ':tier:' .. tier}
end

local function take_off(account, placed, owner)
  if not placed then return end
  for _, standing in ipairs(cjson.decode(placed)) do
    for _, board in ipairs(boards(standing[1], standing[2], owner)) do call('ZREM', board, account) end
  end
end

local function forget(account, key)
  local old = call('HMGET', key, 'placed', 'owner_id')
  take_off(account, old[1], old[2] or '')
  call('DEL', key)
  local index = prefix .. ':account-leads:' .. account
  for _, lead_id in ipairs(call('SMEMBERS', index)) do
    local lead = prefix .. ':lead:' .. lead_id
    local where = call('GET', lead)
    if where then
      for _, stream in ipairs(cjson.decode(where)) do call('XDEL', stream[1], stream[2]) end
      call('DEL', lead)
    end
  end
  call('DEL', index)
end

local function is_news(old, entry)
  if not old[1] then
    return number(call('GET', prefix .. ':erased:' .. entry[2])) < entry[3]
  end
  if old[1] ~= entry[4] then return number(old[3]) < entry[3] end
  local revision = number(old[2])
  return revision < entry[5] or (revision == entry[5] and batch.refresh)
end

local function drop_schemes(key, placed, standings)
  local here = {}
  for _, standing in ipairs(standings) do here[standing[1]] = true end
  for _, standing in ipairs(cjson.decode(placed)) do
    local scheme = standing[1]
    if not here[scheme] then
      for _, field in ipairs({'tier', 'earned_tier', 'score', 'sequence', 'since', 'why', 'why_sequence'}) do
        call('HDEL', key, scheme .. ':' .. field)
      end
    end
  end
end

local function tiers(entry)
  local account, owner, standings = entry[2], entry[6], entry[8]
  local key = prefix .. ':account:' .. account
  local old = call('HMGET', key, 'generation', 'revision', 'offset', 'placed', 'owner_id')
  if not is_news(old, entry) then
    if old[1] == entry[4] then call('HSET', key, 'epoch', batch.epoch) end
    return 1
  end
  if old[1] and old[1] ~= entry[4] then
    forget(account, key)
    old[4] = false
  end
  local placed = {}
  for i, standing in ipairs(standings) do placed[i] = {standing[1], standing[2]} end
  placed = cjson.encode(placed)
  if old[4] and (old[4] ~= placed or old[5] ~= owner) then
    take_off(account, old[4], old[5] or '')
    drop_schemes(key, old[4], standings)
  end
  call('HSET', key, 'placed', placed, 'offset', whole(entry[3]), 'partition', batch.partition, 'epoch', batch.epoch, unpack(entry[7]))
  for _, standing in ipairs(standings) do
    for _, board in ipairs(boards(standing[1], standing[2], owner)) do call('ZADD', board, standing[3], account) end
  end
  return 0
end

local function erasure(entry)
  local key, mark = prefix .. ':account:' .. entry[2], prefix .. ':erased:' .. entry[2]
  if number(call('GET', mark)) < entry[3] then call('SET', mark, whole(entry[3]), 'PX', KEPT_MS) end
  local offset = call('HGET', key, 'offset')
  if not offset or number(offset) > entry[3] then return 1 end
  forget(entry[2], key)
  call('PUBLISH', prefix .. ':changes', cjson.encode({account_id = entry[2], erased = true}))
  return 0
end

local function explanation(entry)
  local key, scheme = prefix .. ':account:' .. entry[2], entry[4]
  local old = call('HMGET', key, 'generation', scheme .. ':why_sequence')
  local known = number(old[2])
  if old[1] ~= entry[3] or known > entry[5] or (known == entry[5] and not batch.refresh) then return 1 end
  call('HSET', key, scheme .. ':why_sequence', whole(entry[5]), scheme .. ':why', entry[6])
  if known < entry[5] and entry[7] ~= '' then call('PUBLISH', prefix .. ':changes', entry[7]) end
  return 0
end

local function lead(entry)
  local account, owner = entry[2], entry[5]
  local mark, index = prefix .. ':lead:' .. entry[4], prefix .. ':account-leads:' .. account
  if call('HGET', prefix .. ':account:' .. account, 'generation') ~= entry[3] or call('EXISTS', mark) == 1 then return 1 end
  local streams = {prefix .. ':leads', owner == '' and prefix .. ':leads-unowned' or prefix .. ':leads:' .. owner}
  local where = {}
  for i, stream in ipairs(streams) do
    where[i] = {stream, call('XADD', stream, 'MAXLEN', '~', batch.stream_length, '*', unpack(entry[7]))}
  end
  local expires_at = whole(entry[6])
  call('SET', mark, cjson.encode(where))
  call('PEXPIREAT', mark, expires_at)
  call('SADD', index, entry[4])
  call('PEXPIREAT', index, expires_at)
  return 0
end

local function sweep(entry)
  local key = prefix .. ':account:' .. entry[2]
  local old = call('HMGET', key, 'partition', 'epoch')
  if number(old[1]) ~= batch.partition or number(old[2]) >= batch.epoch then return 1 end
  forget(entry[2], key)
  return 0
end

local kinds = {T = {tiers, 1}, C = {explanation, 3}, L = {lead, 5}, X = {erasure, 7}, S = {sweep, 7}}
local counts = {0, 0, 0, 0, 0, 0, 0, 0}
for _, entry in ipairs(batch.entries) do
  local kind = kinds[entry[1]]
  local at = kind[2] + kind[1](entry)
  counts[at] = counts[at] + 1
end
for topic, to in pairs(batch.to) do
  local field = topic .. place
  if number(call('HGET', progress, field)) < to then call('HSET', progress, field, whole(to)) end
end
if number(call('HGET', progress, 'read_at' .. place)) < batch.read_at then call('HSET', progress, 'read_at' .. place, whole(batch.read_at)) end
return counts
