package redis

import (
	"strings"

	"vigil"
)

// verb says what a command does and where its keys stand.
type verb struct {
	action vigil.Action // empty: no access
	keys   keys
	// resource names what it is about where it has no keys.
	resource string
}

// keys says which arguments are keys.
type keys byte

const (
	none       keys = iota
	one             // the first
	two             // the first and the second
	all             // all
	pairs           // every other one
	allBut          // all but the last
	count1          // the first tells how many follow
	count2          // the second tells how many follow
	count1dest      // a destination, and then how many follow
	behind          // the first half behind STREAMS
)

// verbs are the commands, by their name in lower case; subcommands follow a bar. What is
// not here is vigil.ActionOther, and its first argument a key.
var verbs = byName()

// groups lists the commands that are alike.
var groups = []struct {
	verb
	names string
}{
	{verb{vigil.ActionRead, one, ""}, `get getrange substr strlen type ttl pttl expiretime pexpiretime getbit bitcount bitpos bitfield_ro dump lcs
		hget hmget hgetall hkeys hvals hlen hexists hscan hstrlen hrandfield httl hpttl lrange lindex llen lpos
		smembers sismember smismember scard srandmember sscan zrange zrevrange zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex zscore zmscore
		zcard zcount zlexcount zrank zrevrank zscan zrandmember xrange xrevrange xlen xpending geopos geodist geohash geosearch georadius_ro
		georadiusbymember_ro georadius georadiusbymember sort sort_ro getdel getex getset lpop rpop spop zpopmin zpopmax
		json.get json.strlen json.objkeys json.type ts.get ts.range ts.revrange bf.exists bf.mexists cf.exists vsim vemb`},
	{verb{vigil.ActionRead, all, ""}, `mget exists touch sunion sinter sdiff pfcount`},
	{verb{vigil.ActionRead, allBut, ""}, `blpop brpop bzpopmin bzpopmax json.mget`},
	{verb{vigil.ActionRead, count1, ""}, `sintercard zunion zinter zdiff zintercard lmpop zmpop`},
	{verb{vigil.ActionRead, count2, ""}, `blmpop bzmpop`},
	{verb{vigil.ActionRead, behind, ""}, `xread xreadgroup`},
	{verb{vigil.ActionRead, one, ""}, `object|encoding object|freq object|idletime object|refcount memory|usage xinfo|stream xinfo|groups xinfo|consumers`},
	{verb{vigil.ActionSearch, none, "keys"}, `keys scan randomkey`},
	{verb{vigil.ActionSearch, one, ""}, `ft.search ft.aggregate ft.hybrid`},
	{verb{vigil.ActionRead, none, "channels"}, `subscribe psubscribe ssubscribe`},
	{verb{vigil.ActionWrite, none, "channels"}, `publish spublish`},
	{verb{vigil.ActionWrite, one, ""}, `set setex psetex setnx setrange setbit append incr decr incrby decrby incrbyfloat bitfield hset hmset hsetnx hincrby hincrbyfloat
		hexpire lpush rpush lpushx rpushx linsert lset ltrim sadd zadd zincrby xadd xtrim xsetid xack xclaim xautoclaim expire pexpire expireat pexpireat
		persist restore move pfadd geoadd json.set json.merge json.arrappend json.numincrby ts.add bf.add bf.madd cf.add vadd`},
	{verb{vigil.ActionWrite, two, ""}, `rename renamenx copy smove lmove rpoplpush blmove brpoplpush zrangestore geosearchstore`},
	{verb{vigil.ActionWrite, pairs, ""}, `mset msetnx`},
	{verb{vigil.ActionWrite, all, ""}, `sunionstore sinterstore sdiffstore pfmerge`},
	{verb{vigil.ActionWrite, count1dest, ""}, `zunionstore zinterstore zdiffstore`},
	{verb{vigil.ActionDelete, all, ""}, `del unlink`},
	{verb{vigil.ActionDelete, one, ""}, `hdel srem zrem zremrangebyrank zremrangebyscore zremrangebylex lrem xdel json.del json.forget vrem ft.dropindex`},
	{verb{vigil.ActionDelete, none, "all keys"}, `flushdb flushall`},
	{verb{vigil.ActionExport, none, "all keys"}, `save bgsave sync psync`},
	{verb{vigil.ActionRead, none, "all commands"}, `monitor`},
	{verb{vigil.ActionExport, none, "keys"}, `migrate`},
	{verb{vigil.ActionExecute, count2, ""}, `eval evalsha eval_ro evalsha_ro fcall fcall_ro`},
	{verb{vigil.ActionExecute, none, "debug"}, `debug|*`},
	{verb{vigil.ActionConfigure, none, "configuration"}, `config|set config|rewrite config|resetstat replicaof slaveof failover shutdown bgrewriteaof swapdb client|kill client|pause
		cluster|failover cluster|reset cluster|meet cluster|forget cluster|replicate cluster|addslots cluster|delslots cluster|setslot`},
	{verb{vigil.ActionConfigure, none, "functions"}, `script|load script|flush script|kill function|load function|delete function|flush function|restore module|load module|loadex module|unload`},
	{verb{vigil.ActionConfigure, one, ""}, `ft.create ft.alter`},
	{verb{vigil.ActionRead, none, "configuration"}, `config|get`},
	{verb{vigil.ActionRead, none, "clients"}, `client|list`},
	{verb{vigil.ActionRead, none, "slow log"}, `slowlog|get`},
	{verb{vigil.ActionRead, none, "users"}, `acl|list acl|getuser acl|users acl|log`},
	{verb{vigil.ActionGrant, none, "users"}, `acl|setuser acl|load`},
	{verb{vigil.ActionConfigure, none, "users"}, `acl|deluser acl|save`},
	{verb{}, `ping echo select info command command|* dbsize time role hello quit reset multi exec discard watch unwatch readonly readwrite asking wait waitaof lastsave
		replconf cluster|* client|* script|exists function|list function|stats acl|whoami acl|cat acl|genpass acl|dryrun acl|help memory|* latency|* slowlog|* config|help
		unsubscribe punsubscribe sunsubscribe pubsub|* module|list object|help xgroup|* xinfo|help function|dump ft.info ft._list lolwut pfselftest pfdebug`},
}

func byName() map[string]verb {
	m := make(map[string]verb)
	for _, g := range groups {
		for name := range strings.FieldsSeq(g.names) {
			m[name] = g.verb
		}
	}
	return m
}

// lookup finds a command, and how many of args are its name.
func lookup(args []string) (v verb, name string, words int) {
	name = strings.ToLower(args[0])
	if len(args) > 1 {
		sub := name + "|" + strings.ToLower(args[1])
		if v, ok := verbs[sub]; ok {
			return v, sub, 2
		}
		if v, ok := verbs[name+"|*"]; ok {
			return v, name, 2
		}
	}
	if v, ok := verbs[name]; ok {
		return v, name, 1
	}
	return verb{action: vigil.ActionOther, keys: one}, name, 1
}

// keysOf are the keys among the arguments of a command.
func (k keys) of(args []string) []string {
	arg := func(i int) []string {
		if i < len(args) {
			return args[i:]
		}
		return nil
	}
	counted := func(i int) []string {
		rest := arg(i)
		if len(rest) == 0 {
			return nil
		}
		n := int(min(uint(count(rest[0])), uint(len(rest)-1)))
		return rest[1 : 1+n]
	}
	switch k {
	case one:
		return args[:min(1, len(args))]
	case two:
		return args[:min(2, len(args))]
	case all:
		return args
	case allBut:
		return args[:max(0, len(args)-1)]
	case pairs:
		var out []string
		for i := 0; i < len(args); i += 2 {
			out = append(out, args[i])
		}
		return out
	case count1:
		return counted(0)
	case count2:
		return counted(1)
	case count1dest:
		return append(append([]string{}, args[:min(1, len(args))]...), counted(1)...)
	case behind:
		for i, a := range args {
			if strings.EqualFold(a, "streams") {
				rest := arg(i + 1)
				return rest[:len(rest)/2]
			}
		}
	}
	return nil
}
