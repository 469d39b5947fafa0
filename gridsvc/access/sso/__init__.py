"""Single sign-on by OpenID Connect: the provider proves who somebody is, we say what they may."""
