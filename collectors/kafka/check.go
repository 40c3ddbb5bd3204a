package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Check connects, reads nothing, and says what is missing with the command that mends it.
func (k *Kafka) Check(ctx context.Context) error {
	admin, err := k.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	cl := kadm.NewClient(admin)
	topics, missing, err := k.look(ctx, cl)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return k.missing(missing[0])
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	names := slices.Sorted(maps.Keys(topics))
	if len(names) == 0 {
		return nil // of a pattern that matches none yet
	}
	if _, err := k.groupOffsets(ctx, cl, names); err != nil {
		return k.explain(fmt.Errorf("ask for the offsets of group %s: %w", k.cfg.Group, err))
	}
	starts, err := cl.ListStartOffsets(ctx, names...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return k.explain(fmt.Errorf("ask for the topics' offsets: %w", err))
	}
	return nil
}

// groupOffsets asks how far the group is; of one that is not there yet there is nothing.
func (k *Kafka) groupOffsets(ctx context.Context, cl *kadm.Client, topics []string) (kadm.OffsetResponses, error) {
	offsets, err := cl.FetchOffsetsForTopics(ctx, k.cfg.Group, topics...)
	if err == nil {
		err = offsets.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	return offsets, err
}

// look finds the topics, says what is wrong with them, and which are not there.
func (k *Kafka) look(ctx context.Context, cl *kadm.Client) (topics kadm.TopicDetails, missing []string, err error) {
	ask, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	meta, err := cl.Metadata(kadm.WithAuthorizedOps(ask), k.cfg.Topics...)
	if err != nil {
		return nil, nil, k.explain(fmt.Errorf("ask for %s: %w", k.subscription(), err))
	}
	topics = kadm.TopicDetails{}
	partitions, led := 0, 0
	for _, name := range slices.Sorted(maps.Keys(meta.Topics)) {
		t := meta.Topics[name]
		if k.pattern != nil && (!k.pattern.MatchString(name) || t.IsInternal) {
			continue
		}
		if errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
			missing = append(missing, name)
			continue
		}
		if err := k.allowed(t); err != nil {
			return nil, nil, err
		}
		partitions += len(t.Partitions)
		for _, p := range t.Partitions {
			if p.Leader >= 0 {
				led++
			}
		}
		topics[name] = t
	}
	if partitions > 0 && led == 0 {
		return nil, nil, fmt.Errorf("no partition of %s has a leader: their brokers are away", k.subscription())
	}
	if partitions > maxPartitions {
		return nil, nil, fmt.Errorf("%s have %d partitions, at most %d are read by one source: make several sources, each with a part of the topics", k.subscription(), partitions, maxPartitions)
	}
	return topics, missing, nil
}

// missing is the error of a topic that is not there.
func (k *Kafka) missing(name string) error {
	return fmt.Errorf("topic %s is not there, or may not be described; make it with\n  kafka-topics --bootstrap-server %s --create --topic %s\n"+
		"or correct its name in the configuration, or allow it with\n  %s", name, k.cfg.Brokers[0], name, k.allowTopic(name))
}

// allowed says whether a topic may be read.
func (k *Kafka) allowed(t kadm.TopicDetail) error {
	ops := t.AuthorizedOperations
	switch {
	case t.Err != nil:
		return k.explain(fmt.Errorf("ask for topic %s: %w", t.Topic, t.Err))
	case len(ops) > 0 && !slices.Contains(ops, kmsg.ACLOperationRead) && !slices.Contains(ops, kmsg.ACLOperationAll):
		return k.explain(fmt.Errorf("read topic %s: %w", t.Topic, kerr.TopicAuthorizationFailed))
	}
	return nil
}

// allowTopic is the command by which reading a topic is allowed.
func (k *Kafka) allowTopic(name string) string {
	pattern := ""
	if k.pattern != nil {
		pattern = " --resource-pattern-type prefixed"
	}
	return fmt.Sprintf("kafka-acls --bootstrap-server %s --add --allow-principal %s --operation Read --operation Describe --topic '%s'%s",
		k.cfg.Brokers[0], k.principal(), name, pattern)
}

func (k *Kafka) allowGroup() string {
	return fmt.Sprintf("kafka-acls --bootstrap-server %s --add --allow-principal %s --operation Read --group '%s'",
		k.cfg.Brokers[0], k.principal(), k.cfg.Group)
}

func (k *Kafka) principal() string {
	if k.cfg.SASL != nil {
		return "User:" + k.cfg.SASL.User
	}
	return "User:NAME"
}

// explain adds to an error of the client what to do about it.
func (k *Kafka) explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		topic := "TOPIC"
		if len(k.cfg.Topics) > 0 {
			topic = k.cfg.Topics[0]
			if len(k.cfg.Topics) > 1 {
				topic = strings.Join(k.cfg.Topics, "' --topic '")
			}
		}
		return fmt.Errorf("%w: not allowed to read the topic; allow it with\n  %s", err, k.allowTopic(topic))
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return fmt.Errorf("%w: not allowed to use the group %s; allow it with\n  %s", err, k.cfg.Group, k.allowGroup())
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.IllegalSaslState), errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Errorf("sign in to Kafka: %w: look at sasl.user, sasl.password and sasl.mechanism", err)
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return fmt.Errorf("%w: consumers of another kind are in the group %s; give this source a group of its own", err, k.cfg.Group)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fmt.Errorf("%w: what was to be read next is not there any more; the source begins again at what is", err)
	case errors.Is(err, kerr.UnknownTopicID):
		return fmt.Errorf("%w: the topic was deleted or made anew", err)
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &cert):
		return fmt.Errorf("trust the broker: %w: look at tls.ca and tls.server_name", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the broker closed the connection; it may want tls or sasl, or neither, or not know this user: look at sasl.user, sasl.password and sasl.mechanism", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: no broker of %s answered in time; look at the network, at brokers, and at what they advertise (advertised.listeners)",
			err, strings.Join(k.cfg.Brokers, ", "))
	}
	return err
}
