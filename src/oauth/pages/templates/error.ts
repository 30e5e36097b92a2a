export const error = `
<% layout('@layout', { title: it.t('error.title') }) %>
<h1><%= it.t('error.title') %></h1>
<p class="lead" role="alert"><%= it.problem %></p>
<%~ include('@ways', it) %>
<div class="foot">
<p><%= it.t('error.request-id') %> <code><%= it.requestId %></code></p>
</div>
`;
