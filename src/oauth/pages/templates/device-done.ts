export const deviceDone = `
<% const key = it.allowed ? 'device-done.allowed' : 'device-done.denied' %>
<% layout('@layout', { title: it.t(key) }) %>
<h1><%= it.t(key) %></h1>
<p class="lead" role="status"><%= it.t(key + '-text') %></p>
<%~ include('@ways', it) %>
`;
