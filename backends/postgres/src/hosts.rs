//! The hosts of a URL, one of which is the primary.
//!
//! The client itself goes on to the next one only where it can't connect. Of one that accepts the connection and says
//! nothing, as a host that is stopped or a proxy before one that is gone, it never comes to the others. So each of
//! them has a configuration of its own here, and its share of the time.

use lockutils_remote::Fault;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::fault::Standby;

/// The same for each of its hosts alone. What doesn't fit together is left as it is to the client, which says so.
pub(crate) fn each(config: &Config) -> Vec<Config> {
    let (names, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let (count, ports) = (names.max(addresses), config.get_ports().len());
    let fits = |many: usize, few: usize| many == count || many <= few;
    if count == 0 || !fits(names, 0) || !fits(addresses, 0) || !fits(ports, 1) {
        return vec![config.clone()];
    }
    (0..count).map(|at| one(config, at)).collect()
}

/// What texts call the host of a configuration that has one.
pub(crate) fn name(config: &Config) -> String {
    let port = config.get_ports().first().unwrap_or(&5432);
    let tcp = |name: &str| {
        if name.contains(':') {
            format!("[{name}]:{port}")
        } else {
            format!("{name}:{port}")
        }
    };
    match (config.get_hosts(), config.get_hostaddrs()) {
        ([Host::Tcp(name), ..], _) => tcp(name),
        ([Host::Unix(path), ..], _) => format!("{}:{port}", path.display()),
        ([], [address, ..]) => tcp(&address.to_string()),
        ([], []) => String::new(),
    }
}

fn one(config: &Config, at: usize) -> Config {
    let mut one = Config::new();
    match config.get_hosts().get(at) {
        Some(Host::Tcp(name)) => _ = one.host(name),
        Some(Host::Unix(path)) => _ = one.host_path(path),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(at) {
        one.hostaddr(*address);
    }
    // One port may be that of all.
    let ports = config.get_ports();
    if let Some(port) = ports.get(at).or(ports.first()) {
        one.port(*port);
    }
    copy_login(config, &mut one);
    copy_connection(config, &mut one);
    one
}

fn copy_login(from: &Config, to: &mut Config) {
    if let Some(user) = from.get_user() {
        to.user(user);
    }
    if let Some(password) = from.get_password() {
        to.password(password);
    }
    if let Some(database) = from.get_dbname() {
        to.dbname(database);
    }
    if let Some(options) = from.get_options() {
        to.options(options);
    }
    if let Some(name) = from.get_application_name() {
        to.application_name(name);
    }
}

fn copy_connection(from: &Config, to: &mut Config) {
    to.ssl_mode(from.get_ssl_mode())
        .ssl_negotiation(from.get_ssl_negotiation())
        .channel_binding(from.get_channel_binding())
        .target_session_attrs(from.get_target_session_attrs())
        .load_balance_hosts(from.get_load_balance_hosts())
        .keepalives(from.get_keepalives())
        .keepalives_idle(from.get_keepalives_idle());
    if let Some(interval) = from.get_keepalives_interval() {
        to.keepalives_interval(interval);
    }
    if let Some(retries) = from.get_keepalives_retries() {
        to.keepalives_retries(retries);
    }
    if let Some(timeout) = from.get_connect_timeout() {
        to.connect_timeout(*timeout);
    }
    if let Some(timeout) = from.get_tcp_user_timeout() {
        to.tcp_user_timeout(*timeout);
    }
}

/// What has come of the attempt at one of several: a standby among them may be promoted in a moment, and so refuses nothing.
pub(crate) fn among_others(fault: Fault) -> Fault {
    match fault {
        Fault::Refused(cause) if cause.is::<Standby>() => Fault::NotDone(cause),
        fault => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_configured_is_that_of_the_one_host() {
        let one = "postgres://u:p@h:7/d?hostaddr=10.0.0.1&options=-c%20a%3Db&application_name=n&\
            sslmode=require&sslnegotiation=direct&connect_timeout=3&tcp_user_timeout=4&keepalives=0&\
            keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&\
            target_session_attrs=read-write&channel_binding=disable&load_balance_hosts=random";
        let config: Config = one.parse().unwrap();
        assert_eq!(each(&config), [config]);
        let bare: Config = "postgres://u@h".parse().unwrap();
        assert_eq!(each(&bare), ["postgres://u@h:5432".parse().unwrap()]);
    }

    #[test]
    fn each_host_has_its_port() {
        let config = |url: &str| url.parse::<Config>().unwrap();
        let (a, b) = (config("postgres://u@a:1/d"), config("postgres://u@b:2/d"));
        assert_eq!(each(&config("postgres://u@a:1,b:2/d")), [a, b]);
        let mut several = config("postgres://u@a:7/d");
        several.host_path("/run");
        let hosts = each(&several);
        assert_eq!(hosts[0], config("postgres://u@a:7/d"));
        assert_eq!(hosts[1], config("postgres:///d?host=/run&port=7&user=u"));
    }

    #[test]
    fn standby_among_others_may_be_promoted() {
        let fault = among_others(crate::fault::standby());
        assert!(matches!(fault, Fault::NotDone(_)), "{fault:?}");
        let fault = among_others(Fault::Refused("the password is wrong".into()));
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
    }
}
